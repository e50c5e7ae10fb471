//! Computes the estimates at one number of shots, a row of semantic.csv.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::category_answers::CategoryAnswers;
use super::prompt_answer::{Logprob, PromptAnswer};
use crate::collect::grading::Normalisation;
use crate::collect::tasks::LogprobSource;
use crate::emergence::semantic::{Crossing, Replicated, answer_share, mean_of_prompts, share_of};
use crate::numeric::shown::count;
use crate::seed;

/// Maximum share of prompts whose log-probabilities contradict the answer. A larger share shows that the
/// log-probabilities belong to other tokens. Ties and answers in unusual tokens cause only a few
/// contradictions.
const MOST_CONTRADICTED: f64 = 0.1;

/// A row of semantic.csv: one category at one number of shots. Standard errors come from the jackknife over
/// queries, over example sets, and over both. A value is empty if the answers do not determine it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SemanticScore {
    /// The wire format.
    pub provider: String,
    /// The requested model.
    pub model: String,
    /// The snapshots that answered, joined by `+`.
    pub model_snapshot: String,
    /// The category.
    pub corpus: String,
    /// Number of examples in a prompt.
    pub shots: usize,
    /// The prompt form.
    pub form: String,
    /// Where log-probabilities come from.
    pub logprobs_from: LogprobSource,
    /// Share of prompts whose most likely next token begins the right answer.
    pub accuracy: Option<f64>,
    /// Standard error of `accuracy`.
    pub accuracy_stderr: Option<f64>,
    /// Mean log-probability of the first token of the right answer.
    pub logprob_nats: Option<f64>,
    /// Standard error of `logprob_nats`.
    pub logprob_nats_stderr: Option<f64>,
    /// Output share `O`: how well the first tokens of the answers identify the relation.
    pub output_share: Option<f64>,
    /// Standard error of `output_share`.
    pub output_share_stderr: Option<f64>,
    /// Share of right answers among the short answers that can be graded.
    pub answer_accuracy: Option<f64>,
    /// Standard error of `answer_accuracy`.
    pub answer_accuracy_stderr: Option<f64>,
    /// How well the short answers identify the relation, as a share of log 2.
    pub answer_share: Option<f64>,
    /// Standard error of `answer_share`.
    pub answer_share_stderr: Option<f64>,
    /// Number of prompts: the product of the numbers of relations R, example sets S and queries X.
    pub n_prompts: usize,
    /// Number of prompts with a short answer.
    pub n_answered: usize,
    /// Number of prompts at which the log-probability of the right answer is known.
    pub n_logprobs: usize,
    /// Number of comparisons of two answers whose log-probabilities are both known.
    pub n_output_pairs: usize,
    /// Number of queries excluded from the comparisons of `n_output_pairs`, summed over all pairs of
    /// relations.
    pub n_output_left_out: usize,
    /// Number of comparisons over which `answer_share` is averaged.
    pub n_answer_pairs: usize,
    /// Number of queries excluded from the comparisons of `n_answer_pairs`, summed over all pairs of
    /// relations.
    pub n_answer_left_out: usize,
    /// Number of relations, R.
    pub relations: usize,
    /// Number of example sets, S.
    pub sets: usize,
    /// Number of queries, X.
    pub queries: usize,
    /// The share of entities that one example set has in common with another.
    pub overlap: f64,
    /// Seed of the design.
    pub seed: u64,
    /// SHA-256 of the category's CSV file.
    pub corpus_sha256: String,
    /// SHA-256 of the texts of all prompts. A semantic profile of the same design has the same value.
    pub prompts_sha256: String,
    /// Time at which the last answer was collected.
    pub collected_at: Option<String>,
    /// Version of the normalisation of short answers.
    #[serde(default)]
    pub normalisation: Option<u32>,
    /// Whether short answers were compared in lower case.
    #[serde(default)]
    pub ignore_case: Option<bool>,
    /// Whether short answers were compared without punctuation.
    #[serde(default)]
    pub ignore_punctuation: Option<bool>,
    /// SHA-256 of the prompts, the form and the grading, which, together with the model, determine the row.
    #[serde(default)]
    pub settings_sha256: Option<String>,
}

/// The model that answered, and the time.
#[derive(Debug, Clone, Default)]
pub(super) struct Answerer {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) model_snapshot: String,
    pub(super) collected_at: Option<String>,
}

impl CategoryAnswers {
    /// The row at the number of shots with this index, and notes on why some of its cells are empty.
    pub(super) fn row(
        &self,
        shots_index: usize,
        normal: Normalisation,
        answerer: &Answerer,
    ) -> (SemanticScore, Vec<String>) {
        let Self { design, layout, .. } = self;
        let (n, shots) = (layout.len(), design.shots[shots_index]);
        let nothing = PromptAnswer::default();
        let prompt = |at: Crossing| self.prompts.get(shots_index * n + layout.place(at)).unwrap_or(&nothing);
        let all = &self.prompts[(shots_index * n).min(self.prompts.len())..];
        let all = &all[..n.min(all.len())];
        let is_output_left_out = |p: usize, q: usize, x: usize| self.is_output_left_out(p, q, x);
        let is_answer_left_out = |p: usize, q: usize, x: usize| self.is_answer_left_out(p, q, x, normal);

        let contradicted = self.contradicted(shots_index * n..shots_index * n + n);
        let accuracy = mean_of_prompts(*layout, |at| prompt(at).is_top.map(f64::from));
        let accuracy = accuracy.filter(|_| contradicted.is_none());
        let answer_accuracy = mean_of_prompts(*layout, |at| prompt(at).credit);
        // Unlisted tokens are improbable, so a mean over the listed tokens would be too high.
        let right = |at: Crossing| prompt(at).logprobs.get(at.0).copied().unwrap_or_default();
        let every = || crossings(layout.relations, layout.sets, layout.queries);
        let n_logprobs = every().filter(|at| matches!(right(*at), Logprob::Nats(_))).count();
        let n_unlisted = every().filter(|at| right(*at) == Logprob::Unlisted).count();
        let logprob = mean_of_prompts(*layout, |at| prompt(at).nats(at.0));
        let logprob = logprob.filter(|_| n_unlisted == 0 && contradicted.is_none());
        let (mut n_output_pairs, mut n_open_pairs) = (0, 0);
        for at in every() {
            let (p, _, x) = at;
            for q in (0..layout.relations).filter(|q| *q != p && !is_output_left_out(p, *q, x)) {
                let logprobs = [p, q].map(|r| prompt(at).logprobs.get(r).copied().unwrap_or_default());
                n_output_pairs += usize::from(logprobs.iter().all(|l| matches!(l, Logprob::Nats(_))));
                n_open_pairs += usize::from(logprobs.contains(&Logprob::Unlisted));
            }
        }
        let output_share = share_of(*layout, is_output_left_out, |at, r| prompt(at).nats(r));
        // Without examples, a prompt does not show which relation is meant. `surmise measure` computes no
        // share at 0 shots either.
        let output_share = output_share.filter(|_| shots > 0 && n_open_pairs == 0 && contradicted.is_none());

        let mut numbers = numbers(all);
        numbers.resize(n, None);
        let by_answers = answer_share(*layout, &numbers, is_answer_left_out).filter(|_| shots > 0);

        let n_answered = all.iter().filter(|prompt| prompt.text.is_some()).count();
        let value = |of: &Option<Replicated>| of.as_ref().map(|of| of.value);
        let stderr = |of: &Option<Replicated>| of.as_ref().and_then(Replicated::stderr);
        let share = by_answers.as_ref().map(|(nats, _)| nats.map(|nats| nats / LN_2));
        let row = SemanticScore {
            provider: answerer.provider.clone(),
            model: answerer.model.clone(),
            model_snapshot: answerer.model_snapshot.clone(),
            corpus: design.category.clone(),
            shots,
            form: design.form.name.into(),
            logprobs_from: self.logprobs_from,
            accuracy: value(&accuracy),
            accuracy_stderr: stderr(&accuracy),
            logprob_nats: value(&logprob),
            logprob_nats_stderr: stderr(&logprob),
            output_share: value(&output_share),
            output_share_stderr: stderr(&output_share),
            answer_accuracy: value(&answer_accuracy),
            answer_accuracy_stderr: stderr(&answer_accuracy),
            answer_share: value(&share),
            answer_share_stderr: stderr(&share),
            n_prompts: n,
            n_answered,
            n_logprobs,
            n_output_pairs,
            n_output_left_out: self.n_left_out(is_output_left_out),
            n_answer_pairs: by_answers.map_or(0, |(_, n)| n),
            n_answer_left_out: self.n_left_out(is_answer_left_out),
            relations: layout.relations,
            sets: layout.sets,
            queries: layout.queries,
            overlap: design.overlap(shots),
            seed: design.seed,
            corpus_sha256: design.category_sha256.clone(),
            prompts_sha256: design.sha256(),
            collected_at: answerer.collected_at.clone(),
            normalisation: Some(normal.version),
            ignore_case: Some(normal.ignore_case),
            ignore_punctuation: Some(normal.ignore_punctuation),
            settings_sha256: Some(settings_hash(design.form.name, &design.sha256(), shots, normal)),
        };
        let mut why = self.notes(&row, n_unlisted, n_open_pairs);
        why.extend(contradicted.map(|(some, compared)| {
            format!(
                "accuracy, logprob_nats and output_share of {} with {} are empty: at {some} of {compared} \
                 prompts, the log-probabilities that the server returns for the prompt contradict its \
                 answer, so they belong to other tokens; use another server, or --logprobs-from top",
                row.corpus,
                count(shots, "shot")
            )
        }));
        (row, why)
    }

    /// The number of prompts whose log-probabilities contradict their answers, and the number of compared
    /// prompts; `None` if there are so few contradictions that the log-probabilities can be used.
    fn contradicted(&self, prompts: Range<usize>) -> Option<(usize, usize)> {
        if self.logprobs_from != LogprobSource::Echo {
            return None;
        }
        let compared: Vec<bool> = prompts.filter_map(|place| self.is_contradicted(place)).collect();
        let some = compared.iter().filter(|is_contradicted| **is_contradicted).count();
        (some as f64 > MOST_CONTRADICTED * compared.len() as f64).then_some((some, compared.len()))
    }

    /// Notes on why cells of a row are empty.
    fn notes(&self, row: &SemanticScore, n_unlisted: usize, n_open_pairs: usize) -> Vec<String> {
        let n = row.n_prompts;
        let of = format!("of {} with {}", row.corpus, count(row.shots, "shot"));
        let mut notes = vec![];
        if row.n_answered < n {
            notes.push(format!("{} {of} have no answer and are excluded", prompts(n - row.n_answered, n)));
        }
        if n_unlisted > 0 {
            notes.push(format!(
                "at {} {of}, the right answer does not begin with a listed token: logprob_nats is empty, \
                 because the mean over the other prompts would be too high",
                prompts(n_unlisted, n)
            ));
        }
        if n_open_pairs > 0 {
            notes.push(format!(
                "in {n_open_pairs} of {} comparisons {of}, an answer does not begin with a listed token: \
                 output_share is empty",
                n_open_pairs + row.n_output_pairs
            ));
        }
        let n_missing = row.n_answered.saturating_sub(row.n_logprobs + n_unlisted);
        if self.logprobs_from != LogprobSource::None && n_missing > 0 {
            let why = self.unreadable.as_deref().unwrap_or("the server returned none");
            let cells = if n_missing == row.n_answered {
                "accuracy, logprob_nats and output_share are empty"
            } else {
                "accuracy, logprob_nats and output_share are computed from the other prompts"
            };
            notes.push(format!(
                "{} {of} have no log-probability of the right answer ({why}): {cells}",
                prompts(n_missing, n)
            ));
        }
        notes
    }
}

/// SHA-256 of the settings that, together with the model, determine a row: a line `NAME=VALUE` for each.
fn settings_hash(form: &str, prompts_sha256: &str, shots: usize, normal: Normalisation) -> String {
    let Normalisation { ignore_case, ignore_punctuation, version } = normal;
    let lines = format!(
        "form={form}\nprompts_sha256={prompts_sha256}\nshots={shots}\nnormalisation={version}\n\
         ignore_case={ignore_case}\nignore_punctuation={ignore_punctuation}\n"
    );
    seed::sha256_hex(lines.as_bytes())
}

/// A number for each answer; equal answers have the same number.
fn numbers(prompts: &[PromptAnswer]) -> Vec<Option<u32>> {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    prompts
        .iter()
        .map(|prompt| {
            let next = known.len() as u32;
            prompt.text.as_deref().map(|text| *known.entry(text).or_insert(next))
        })
        .collect()
}

fn prompts(some: usize, all: usize) -> String {
    format!("{some} of {all} prompts")
}

fn crossings(relations: usize, sets: usize, queries: usize) -> impl Iterator<Item = Crossing> {
    (0..queries).flat_map(move |x| (0..relations).flat_map(move |r| (0..sets).map(move |s| (r, s, x))))
}
