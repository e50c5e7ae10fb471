//! Defines a row of observations.csv, with the only declaration of its columns and their order.

use super::cell::{Cell, ColumnRole, TaskScore, number};
use super::features::FEATURES;
use super::measured::MeasuredModel;
use super::readings::TextReading;

/// A row: one target on one corpus.
#[derive(Default)]
pub(super) struct Observation<'a> {
    pub target_model: &'a str,
    pub family: &'a str,
    pub params_b: Option<f64>,
    pub proxy_model: String,
    pub proxy_params_b: Option<f64>,
    pub corpus: &'a str,
    pub corpus_sha256: String,
    pub n_windows: Option<usize>,
    pub shots: Option<usize>,
    pub scale: &'static str,
    pub noise_scale: Option<f64>,
    pub reader: &'a str,
    /// The measurements of the target, if it was measured.
    pub own: Option<MeasuredModel<'a>>,
    pub proxy: Option<MeasuredModel<'a>>,
    /// The level and slope of the target's accuracy on the task of this corpus.
    pub accuracy: Option<(f64, f64)>,
    /// The readings of the target's texts, and of the reference texts, which no model wrote.
    pub reading: TextReading,
    pub reference: TextReading,
    /// The target's scores on each task.
    pub tasks: Vec<TaskScore<'a>>,
    /// Features that a study adds, with their column names.
    pub added: Vec<(&'a str, Option<f64>)>,
    /// The reason why the row lacks a required proxy or headline; empty if nothing is missing.
    pub unsupported: String,
    /// A further note on the row.
    pub note: String,
}

impl Observation<'_> {
    pub fn is_ok(&self) -> bool {
        self.unsupported.is_empty()
    }

    /// The cells, in column order.
    pub fn cells(&self) -> Vec<Cell> {
        use ColumnRole::{Condition, Internal, Other, Response};
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
        add(Condition, "n_windows", &count(self.n_windows));
        add(Condition, "shots", &count(self.shots));
        add(Condition, "scale", self.scale);
        add(Condition, "noise_scale", &number(self.noise_scale));
        add(ColumnRole::Reader, "reader", self.reader);
        add(Response, "emergence_nats", &number(own.map(|own| own.headline_nats)));
        add(Response, "emergence_stderr_nats", &number(own.and_then(MeasuredModel::stderr_nats)));
        add(Response, "seed_stderr_nats", &number(own.and_then(|own| own.seed_stderr_nats)));
        add(Response, "n_seeds", &count(own.map(|own| own.seeds().len())));
        add(Response, "learned_nats", &number(own.map(|own| own.learned_nats)));
        add(Response, "random_init_nats", &number(own.map(|own| own.random_init_nats)));
        add(Response, "emergence_bits_per_byte", &number(own.and_then(MeasuredModel::bits_per_byte)));
        add(Other, "proxy_headline_nats", &number(proxy.map(|proxy| proxy.headline_nats)));
        add(Other, "proxy_headline_stderr_nats", &number(proxy.and_then(MeasuredModel::stderr_nats)));
        for (j, feature) in FEATURES.iter().enumerate() {
            let value = proxy.and_then(|proxy| proxy.features[j]);
            add(Other, &format!("proxy_{}", feature.name), &number(value));
        }
        add(Other, "accuracy_logit", &number(self.accuracy.map(|accuracy| accuracy.0)));
        add(Other, "accuracy_slope", &number(self.accuracy.map(|accuracy| accuracy.1)));
        let (reading, reference) = (&self.reading, &self.reference);
        let gain = |own: Option<f64>, reference: Option<f64>| Some(own? - reference?);
        add(Other, "reading_nats", &number(reading.nats));
        add(Other, "reading_stderr_nats", &number(reading.stderr_nats));
        add(Other, "reading_less_control_nats", &number(reading.less_control_nats));
        add(Other, "reading_gain_nats", &number(gain(reading.nats, reference.nats)));
        let gain_less_control = gain(reading.less_control_nats, reference.less_control_nats);
        add(Other, "reading_gain_less_control_nats", &number(gain_less_control));
        add(Other, "reading_bits_per_byte", &number(reading.bits_per_byte));
        for cell in self.tasks.iter().flat_map(TaskScore::cells) {
            add(cell.role, &cell.name, &cell.text);
        }
        for (name, value) in &self.added {
            add(Other, name, &number(*value));
        }
        for (j, feature) in FEATURES.iter().enumerate() {
            add(Internal, feature.name, &number(own.and_then(|own| own.features[j])));
        }
        add(Other, "status", if self.is_ok() { "ok" } else { "unsupported" });
        add(Other, "note", if self.is_ok() { &self.note } else { &self.unsupported });
        row
    }
}
