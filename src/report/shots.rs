//! `shots`: emergence and its variance over windows by number of shots, or by position of texts, as the mean
//! over blocks from the second on.

use std::path::PathBuf;

use super::draw::Figure;
use super::draw::curves::{Curve, Curves, Panel, Point};
use super::profiles::beside;
use super::read::{self, PROFILES, at_noise_scale, by_size, names, profiles};
use super::reliability::reliability;
use super::{Report, ReportContent, ReportInput, Selection, Table};
use crate::corpus::Role;
use crate::emergence::ProfileRow;
use crate::error::Result;
use crate::numeric::statistics;

/// Half the width of a 95 % band in standard errors.
pub(super) const BAND: f64 = 1.96;

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
    random_init: f64,
    control: Option<f64>,
}

impl Report for Shots {
    fn name(&self) -> &'static str {
        "shots"
    }

    fn summary(&self) -> &'static str {
        "emergence and its variance by number of shots, of texts by position; curves with \
         bands"
    }

    fn input(&self) -> ReportInput {
        PROFILES
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
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
        let mut figures = vec![];
        for (suffix, models) in read::figures(&rows) {
            figures.extend(
                draw(&means, &models)?.into_iter().map(|(kind, figure)| (format!("{kind}{suffix}"), figure)),
            );
        }
        let caption = format!(
            "Mean over blocks from the second on {}; bands are 95 % (1.96 standard errors of the mean over \
             blocks, which share their windows).{}",
            at_noise_scale(noise_scale),
            reliability(&rows)
        );
        Ok(ReportContent { table, figures, caption })
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
            let most = own.iter().map(|row| row.reading_index).max().unwrap_or(0);
            for reading_index in 1..=most {
                let at: Vec<&ProfileRow> =
                    own.iter().copied().filter(|row| row.reading_index == reading_index).collect();
                let Some(first) = at.first() else { continue };
                means.push(Mean {
                    model: model.into(),
                    corpus: corpus.into(),
                    texts: first.role == Role::Text,
                    reading_index,
                    emergence: mean(&at, |row| Some(row.emergence_nats)).unwrap_or(f64::NAN),
                    stderr: mean(&at, |row| row.stderr_nats),
                    variance: mean(&at, |row| row.variance_nats2),
                    random_init: mean(&at, |row| Some(row.random_init_nats)).unwrap_or(f64::NAN),
                    control: mean(&at, |row| beside(row, &control)),
                });
            }
        }
    }
    means
}

/// The mean of a value over rows; `None` if any row lacks it.
pub(super) fn mean(rows: &[&ProfileRow], value: impl Fn(&ProfileRow) -> Option<f64>) -> Option<f64> {
    let values: Option<Vec<f64>> = rows.iter().map(|row| value(row)).collect();
    values.map(|values| statistics::mean(&values))
}

fn draw(means: &[Mean], models: &[&str]) -> Result<Vec<(String, Figure)>> {
    let mut figures = vec![];
    for texts in [false, true] {
        let of: Vec<&Mean> = means
            .iter()
            .filter(|mean| mean.texts == texts && models.contains(&mean.model.as_str()))
            .collect();
        if of.is_empty() {
            continue;
        }
        let kind = if texts { "-texts" } else { "" };
        let figure =
            |suffix: &str, y_label: &str, dashed: Option<&str>, point: &dyn Fn(&Mean) -> Option<Point>| {
                let panels = names(&of, |mean| mean.corpus.as_str()).into_iter().map(|corpus| {
                    let curve = |(name, model): (usize, &&str)| Curve {
                        name,
                        points: of
                            .iter()
                            .filter(|mean| mean.corpus == corpus && mean.model == *model)
                            .filter_map(|mean| point(mean))
                            .collect(),
                    };
                    let curves =
                        models.iter().enumerate().map(curve).filter(|curve| !curve.points.is_empty());
                    Panel { title: corpus.into(), curves: curves.collect() }
                });
                let curves = Curves {
                    panels: panels.collect(),
                    names: models.iter().map(|model| (*model).to_owned()).collect(),
                    x_label: if texts { "position in the window" } else { "number of shots" }.into(),
                    y_label: y_label.into(),
                    dashed: dashed.map(str::to_owned),
                    whole: true,
                };
                Ok::<_, crate::Error>((format!("{kind}{suffix}"), curves.figure()?))
            };
        let beside = |mean: &Mean| if texts { mean.control } else { Some(mean.random_init) };
        let named = if texts { "shuffled control" } else { "randomly initialised model" };
        let any = of.iter().any(|mean| beside(mean).is_some());
        let emergence = |mean: &Mean| {
            let half = BAND * mean.stderr.unwrap_or(0.0);
            Some(Point { x: mean.reading_index as f64, y: mean.emergence, half, beside: beside(mean) })
        };
        figures.push(figure("", "emergence, nats", any.then_some(named), &emergence)?);
        if of.iter().any(|mean| mean.variance.is_some()) {
            let variance = |mean: &Mean| {
                Some(Point { x: mean.reading_index as f64, y: mean.variance?, half: 0.0, beside: None })
            };
            figures.push(figure("-variance", "variance, nats²", None, &variance)?);
        }
    }
    Ok(figures)
}
