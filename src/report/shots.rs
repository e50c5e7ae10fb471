//! Report `shots`: emergence and its variance over windows, by number of shots or, for texts, by position.
//! Values are means over blocks from the second on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::content::numbered;
use super::draw::Figure;
use super::draw::curves::{BAND, Curves, Point};
use super::models::Layout;
use super::profiles::beside;
use super::read::{self, PROFILES, at_noise_scale, by_size, names, profiles};
use super::reliability::reliability;
use super::{Report, ReportContent, ReportInput, Selection, Table, semantic};
use crate::corpus::Role;
use crate::emergence::ProfileRow;
use crate::error::Result;
use crate::numeric::statistics;

pub(super) struct Shots;

/// The mean over blocks at one reading point.
struct Mean {
    model: String,
    corpus: String,
    texts: bool,
    reading_index: usize,
    emergence: f64,
    stderr: Option<f64>,
    variance: Option<f64>,
    /// Number of distinct windows. Repeated windows carry no information.
    n_windows: usize,
    random_init: f64,
    control: Option<f64>,
}

impl Report for Shots {
    fn name(&self) -> &'static str {
        "shots"
    }

    fn summary(&self) -> &'static str {
        "the semantic share, accuracy and controls by number of examples; or positional emergence and its \
         variance by number of shots or, for texts, by position"
    }

    fn input(&self) -> ReportInput {
        PROFILES
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        if let Some(tables) = semantic::read(inputs, selection)? {
            return semantic::shots(&tables);
        }
        let (rows, noise_scale) = profiles(inputs, selection)?;
        let means = means(&rows);
        if means.is_empty() {
            return Err(Selection::nothing(&inputs[0], "model of two blocks or more"));
        }
        let mut table = Table::new(&[
            "model",
            "corpus",
            "reading_index",
            "emergence_nats",
            "stderr_nats",
            "variance_nats2",
            "random_init_nats",
            "control_nats",
            "less_control_nats",
        ]);
        for mean in &means {
            table.rows.push(vec![
                mean.model.as_str().into(),
                mean.corpus.as_str().into(),
                mean.reading_index.into(),
                mean.emergence.into(),
                mean.stderr.into(),
                mean.variance.into(),
                mean.random_init.into(),
                mean.control.into(),
                mean.control.map(|control| mean.emergence - control).into(),
            ]);
        }
        let figures = draw(&means, &read::layout(&rows))?;
        let caption = format!(
            "Positional emergence and its variance {}, as means over blocks from the second on; bands are \
             95 % intervals (1.96 standard errors of the mean over blocks, which share their windows; the \
             standard error of a variance v over n windows is v (2 / (n - 1))^(1/2), as for a normal \
             distribution).{}",
            at_noise_scale(noise_scale),
            reliability(&rows)
        );
        Ok(ReportContent { table, figures, caption, latex: None })
    }
}

fn means(rows: &[ProfileRow]) -> Vec<Mean> {
    let mut means = vec![];
    for corpus in names(rows, |row| row.corpus.as_str()) {
        for model in by_size(rows) {
            let of: Vec<&ProfileRow> = rows
                .iter()
                .filter(|row| {
                    row.corpus == corpus
                        && row.model == model
                        && row.block >= 2
                        && row.role != Role::Separator
                })
                .collect();
            let (own, control): (Vec<&ProfileRow>, Vec<&ProfileRow>) =
                of.iter().partition(|row| row.control.is_none());
            let mut points: BTreeMap<usize, Vec<&ProfileRow>> = BTreeMap::new();
            own.iter().for_each(|row| points.entry(row.reading_index).or_default().push(row));
            for (reading_index, at) in points {
                let Some(first) = at.first() else { continue };
                means.push(Mean {
                    model: model.into(),
                    corpus: corpus.into(),
                    texts: first.role == Role::Text,
                    reading_index,
                    emergence: mean(&at, |row| Some(row.emergence_nats)).unwrap_or(f64::NAN),
                    stderr: mean(&at, |row| row.stderr_nats),
                    variance: mean(&at, |row| row.variance_nats2),
                    n_windows: first.n_distinct.unwrap_or(first.n_windows),
                    random_init: mean(&at, |row| Some(row.random_init_nats)).unwrap_or(f64::NAN),
                    control: mean(&at, |row| beside(row, &control)),
                });
            }
        }
    }
    means
}

/// The mean of a value over rows; `None` if a row has no value.
pub(super) fn mean(rows: &[&ProfileRow], value: impl Fn(&ProfileRow) -> Option<f64>) -> Option<f64> {
    let values: Option<Vec<f64>> = rows.iter().map(|row| value(row)).collect();
    values.map(|values| statistics::mean(&values))
}

fn draw(means: &[Mean], layout: &Layout<'_>) -> Result<Vec<(String, Figure)>> {
    let mut figures = vec![];
    for texts in [false, true] {
        let of: Vec<&Mean> = means.iter().filter(|mean| mean.texts == texts).collect();
        let corpora = names(&of, |mean| mean.corpus.as_str());
        let kind = if texts { "-texts" } else { "" };
        let mut add =
            |suffix: &str, y_label: &str, dashed: Option<&str>, point: &dyn Fn(&Mean) -> Option<Point>| {
                let panels = layout.panels(&corpora, |model, corpus| {
                    let own = of.iter().filter(|mean| mean.corpus == corpus && mean.model == model);
                    own.filter_map(|mean| point(mean)).collect()
                });
                let curves = Curves {
                    panels,
                    key: layout.key.clone(),
                    across: layout.across(corpora.len()),
                    x_label: if texts { "position in the window" } else { "entity of the series" }.into(),
                    y_label: y_label.into(),
                    dashed: dashed.map(str::to_owned),
                    is_count: true,
                };
                figures.extend(numbered(&format!("{kind}{suffix}"), curves.figures()?));
                Ok::<_, crate::Error>(())
            };
        let beside = |mean: &Mean| if texts { mean.control } else { Some(mean.random_init) };
        let named = if texts { "shuffled control" } else { "random init" };
        let any = of.iter().any(|mean| beside(mean).is_some());
        let emergence = |mean: &Mean| {
            let half = BAND * mean.stderr.unwrap_or(0.0);
            Some(Point { x: mean.reading_index as f64, y: mean.emergence, half, beside: beside(mean) })
        };
        add("", "emergence, nats", any.then_some(named), &emergence)?;
        let variance = |mean: &Mean| {
            let (x, y) = (mean.reading_index as f64, mean.variance?);
            // All blocks use the same windows, so a mean over blocks has the uncertainty of a single block.
            let half = BAND * y * (2.0 / (mean.n_windows.max(2) - 1) as f64).sqrt();
            Some(Point { x, y, half, beside: None })
        };
        add("-variance", "variance, nats²", None, &variance)?;
    }
    Ok(figures)
}
