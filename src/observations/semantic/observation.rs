//! Defines a row of observations.csv for the semantic estimand, with the only declaration of its columns and
//! their order.

use super::answers::SemanticAnswersRow;
use super::measured::{MeasuredShare, QUANTITIES};
use crate::observations::cell::{Cell, ColumnRole, TaskScore, number};

/// A row: one target on one corpus at one number of examples.
#[derive(Default)]
pub(in crate::observations) struct SemanticObservation<'a> {
    pub target_model: &'a str,
    pub family: &'a str,
    pub params_b: Option<f64>,
    pub proxy_model: String,
    pub proxy_params_b: Option<f64>,
    pub corpus: &'a str,
    pub corpus_sha256: String,
    pub form: &'a str,
    pub sets: Option<usize>,
    pub queries: Option<usize>,
    pub shots: Option<usize>,
    pub noise_scale: Option<f64>,
    /// The measurements of the target, if it was measured.
    pub own: Option<MeasuredShare<'a>>,
    pub proxy: Option<MeasuredShare<'a>>,
    /// The answers of the target to the prompts of the design.
    pub answers: SemanticAnswersRow,
    /// The level and slope of the target's accuracy on the task of this corpus.
    pub accuracy: Option<(f64, f64)>,
    /// The target's scores on each task.
    pub tasks: Vec<TaskScore<'a>>,
    /// The reason why the row lacks a required proxy or share; empty if nothing is missing.
    pub unsupported: String,
    /// A further note on the row.
    pub note: String,
}

impl SemanticObservation<'_> {
    pub fn is_ok(&self) -> bool {
        self.unsupported.is_empty()
    }

    /// The cells, in column order.
    pub fn cells(&self) -> Vec<Cell> {
        use ColumnRole::{Condition, Other, Response};
        let mut row: Vec<Cell> = vec![];
        let mut add = |role: ColumnRole, name: &str, text: &str| {
            row.push(Cell { role, name: name.to_owned(), text: text.to_owned() });
        };
        let count = |n: Option<usize>| n.map_or(String::new(), |n| n.to_string());
        let (own, proxy) = (self.own.as_ref(), self.proxy.as_ref());
        add(Other, "target_model", self.target_model);
        add(Other, "family", self.family);
        add(Other, "params_b", &number(self.params_b));
        add(Other, "proxy_model", &self.proxy_model);
        add(Other, "proxy_params_b", &number(self.proxy_params_b));
        add(Other, "corpus", self.corpus);
        add(Condition, "corpus_sha256", &self.corpus_sha256);
        add(Condition, "form", self.form);
        add(Condition, "sets", &count(self.sets));
        add(Condition, "queries", &count(self.queries));
        add(Condition, "shots", &count(self.shots));
        add(Condition, "noise_scale", &number(self.noise_scale));
        for quantity in &QUANTITIES {
            let value = own.and_then(|own| own.quantity(quantity));
            add(Response, &format!("semantic_{}", quantity.name), &number(value));
        }
        let (stderr, of_seeds) = own.map_or((None, None), MeasuredShare::stderrs);
        add(Response, "semantic_share_mean_stderr", &number(stderr));
        add(Response, "semantic_share_mean_seed_stderr", &number(of_seeds));
        add(Response, "n_seeds", &count(own.map(|own| own.seeds().len())));
        add(Response, "semantic_share_mean_random_init", &number(own.and_then(MeasuredShare::random_init)));
        for quantity in &QUANTITIES {
            let value = proxy.and_then(|proxy| proxy.quantity(quantity));
            add(Other, &format!("proxy_semantic_{}", quantity.name), &number(value));
        }
        let of_proxy = proxy.map_or([None; 3], MeasuredShare::output);
        for (name, value) in ["accuracy", "logprob_nats", "output_share"].into_iter().zip(of_proxy) {
            add(Other, &format!("proxy_semantic_{name}"), &number(value));
        }
        let [accuracy, logprob_nats, output_share] = own.map_or([None; 3], MeasuredShare::output);
        let SemanticAnswersRow { answer_accuracy, answer_share, .. } = self.answers;
        add(Other, "semantic_accuracy", &number(self.answers.accuracy.or(accuracy)));
        add(Other, "semantic_logprob_nats", &number(self.answers.logprob_nats.or(logprob_nats)));
        add(Other, "semantic_output_share", &number(self.answers.output_share.or(output_share)));
        add(Other, "semantic_answer_accuracy", &number(answer_accuracy));
        add(Other, "semantic_answer_share", &number(answer_share));
        add(Other, "accuracy_logit", &number(self.accuracy.map(|accuracy| accuracy.0)));
        add(Other, "accuracy_slope", &number(self.accuracy.map(|accuracy| accuracy.1)));
        row.extend(self.tasks.iter().flat_map(TaskScore::cells));
        row.push(Cell {
            role: Other,
            name: "status".into(),
            text: if self.is_ok() { "ok" } else { "unsupported" }.into(),
        });
        row.push(Cell {
            role: Other,
            name: "note".into(),
            text: if self.is_ok() { &self.note } else { &self.unsupported }.clone(),
        });
        row
    }
}
