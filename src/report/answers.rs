//! Report `answers`: accuracy, log-probability, output share and answer share of API models on the prompts of
//! a design, by number of examples.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::content::numbered;
use super::draw::curves::{BAND, Curves, Point};
use super::models::Layout;
use super::read::{csv_rows, names};
use super::selection::KnownNames;
use super::{Figure, Report, ReportContent, ReportInput, Selection, Table};
use crate::collect::results::semantic::SemanticScore;
use crate::error::{Error, Result};
use crate::numeric::shown::count;

pub(super) struct Answers;

/// semantic.csv, with the columns of [`SemanticScore`].
const SEMANTIC: ReportInput = ReportInput {
    file: "semantic.csv",
    columns: &["model", "corpus", "shots", "accuracy", "answer_share", "output_share", "sets", "queries"],
};

impl Report for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn summary(&self) -> &'static str {
        "accuracy, log-probability, output share and answer share of API models by number of examples"
    }

    fn input(&self) -> ReportInput {
        SEMANTIC
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        let (mut rows, mut known): (Vec<SemanticScore>, _) = (vec![], KnownNames::default());
        for input in inputs {
            let read: Vec<SemanticScore> = csv_rows(&SEMANTIC, input)?;
            read.iter().for_each(|row| known.add(&row.model, &row.corpus));
            rows.extend(read.into_iter().filter(|row| selection.admits(&row.model, &row.corpus)));
        }
        selection.check(&known)?;
        let Some(first) = rows.first() else { return Err(Selection::nothing(&inputs[0], "row")) };
        check(&rows, selection)?;
        let design = format!("S = {}, X = {}, form {}", first.sets, first.queries, first.form);
        let sources: BTreeSet<&str> = rows.iter().map(|row| row.logprobs_from.name()).collect();
        let sources = match sources.len() {
            1 => String::new(),
            _ => format!(
                " Log-probabilities come from different sources ({}), which omit different tokens.",
                sources.into_iter().collect::<Vec<_>>().join(" and ")
            ),
        };
        rows.sort_by(|a, b| (&a.corpus, &a.model, a.shots).cmp(&(&b.corpus, &b.model, b.shots)));
        let mut table = Table::new(&[
            "model",
            "corpus",
            "shots",
            "accuracy",
            "accuracy_stderr",
            "logprob_nats",
            "logprob_stderr_nats",
            "output_share",
            "output_share_stderr",
            "answer_accuracy",
            "answer_share",
            "answer_share_stderr",
            "n_prompts",
            "n_answered",
        ]);
        for row in &rows {
            table.rows.push(vec![
                row.model.as_str().into(),
                row.corpus.as_str().into(),
                row.shots.into(),
                row.accuracy.into(),
                row.accuracy_stderr.into(),
                row.logprob_nats.into(),
                row.logprob_nats_stderr.into(),
                row.output_share.into(),
                row.output_share_stderr.into(),
                row.answer_accuracy.into(),
                row.answer_share.into(),
                row.answer_share_stderr.into(),
                row.n_prompts.into(),
                row.n_answered.into(),
            ]);
        }
        let n_unanswered: usize =
            rows.iter().map(|row| row.n_prompts - row.n_answered.min(row.n_prompts)).sum();
        let unanswered = match n_unanswered {
            0 => String::new(),
            n => format!(" {n} prompts without an answer are excluded."),
        };
        let caption = format!(
            "Answers to the prompts of a design ({design}) by number of examples; bands are 95 % intervals \
             (1.96 standard errors over queries and example sets). A share is 0 at chance and 1 if the \
             answers distinguish every pair of relations with certainty.{unanswered}{sources}"
        );
        Ok(ReportContent { table, figures: draw(&rows)?, caption, latex: None })
    }
}

/// Rejects rows that are not comparable, and flags that do not apply to answers.
fn check(rows: &[SemanticScore], selection: &Selection) -> Result<()> {
    let fault = |name: &'static str, reason: String| Err(Error::Parameter { name, reason });
    if selection.noise_scale.is_some() {
        return fault(
            "--noise-scale",
            "applies only to profiles, because answers have no noise; leave out this flag".into(),
        );
    }
    if !selection.settings.is_empty() {
        return fault(
            "--select",
            "applies only to profiles; select answers with --model and --corpus".into(),
        );
    }
    for (i, row) in rows.iter().enumerate() {
        let design = |row: &SemanticScore| (row.sets, row.queries, row.form.clone(), row.seed);
        let of = |row: &SemanticScore| {
            let (sets, queries, form, seed) = design(row);
            format!(
                "{sets} sets, {queries} queries, form {form}, seed {seed} ({} on {})",
                row.model, row.corpus
            )
        };
        if design(row) != design(&rows[0]) {
            return fault(
                "rows",
                format!(
                    "have different designs: {} and {}; make a separate report for each",
                    of(&rows[0]),
                    of(row)
                ),
            );
        }
        let asked = |other: &&SemanticScore| (&other.corpus, other.shots) == (&row.corpus, row.shots);
        let other = rows[..i].iter().find(asked).filter(|other| other.prompts_sha256 != row.prompts_sha256);
        if let Some(other) = other {
            return fault(
                "rows",
                format!(
                    "of {} and {} on {} with {} are for different prompts (prompts_sha256) and are not \
                     comparable; make a separate report for each",
                    other.model,
                    row.model,
                    row.corpus,
                    count(row.shots, "example")
                ),
            );
        }
        let place = |row: &SemanticScore| (row.model.clone(), row.corpus.clone(), row.shots);
        if rows[..i].iter().any(|other| place(other) == place(row)) {
            let (model, corpus, shots) = place(row);
            return fault(
                "rows",
                format!(
                    "of {model} on {corpus} with {} occur twice; give each file once",
                    count(shots, "example")
                ),
            );
        }
    }
    Ok(())
}

/// A plotted value and its standard error.
type Value = fn(&SemanticScore) -> (Option<f64>, Option<f64>);

/// The plotted values: suffix of the file name, axis label, value.
const DRAWN: [(&str, &str, Value); 3] = [
    ("", "answer share", |row| (row.answer_share, row.answer_share_stderr)),
    ("-output", "output share", |row| (row.output_share, row.output_share_stderr)),
    ("-accuracy", "accuracy of the first token", |row| (row.accuracy, row.accuracy_stderr)),
];

fn draw(rows: &[SemanticScore]) -> Result<Vec<(String, Figure)>> {
    // The family and the size of a model behind an API are unknown.
    let layout = Layout::of(rows.iter().map(|row| ("", 0, row.model.as_str())));
    let corpora = names(rows, |row| row.corpus.as_str());
    let mut drawn = vec![];
    for (suffix, y_label, value) in DRAWN {
        let point = |row: &SemanticScore| {
            let (y, stderr) = value(row);
            Some(Point { x: row.shots as f64, y: y?, half: BAND * stderr.unwrap_or(0.0), beside: None })
        };
        let panels = layout.panels(&corpora, |model, corpus| {
            let own = rows.iter().filter(|row| row.corpus == corpus && row.model == model);
            own.filter_map(point).collect()
        });
        let curves = Curves {
            panels,
            key: layout.key.clone(),
            across: layout.across(corpora.len()),
            x_label: "examples in the prompt".into(),
            y_label: y_label.into(),
            dashed: None,
            is_count: true,
        };
        drawn.extend(numbered(suffix, curves.figures()?));
    }
    Ok(drawn)
}
