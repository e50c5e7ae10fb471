//! `depth`: emergence at the last reading point over relative depth `u = l / L`.

use std::path::PathBuf;

use super::draw::curves::{BAND, Curve, Curves, Panel, Point};
use super::profiles::beside;
use super::read::{self, PROFILES, at_noise_scale, names, profiles};
use super::reliability::reliability;
use super::{Report, ReportContent, ReportInput, Selection, Table, semantic};
use crate::corpus::Role;
use crate::emergence::ProfileRow;
use crate::error::Result;

pub(super) struct Depth;

impl Report for Depth {
    fn name(&self) -> &'static str {
        "depth"
    }

    fn summary(&self) -> &'static str {
        "the semantic share, or positional emergence at the last entity or position, over relative depth"
    }

    fn input(&self) -> ReportInput {
        PROFILES
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        if let Some(tables) = semantic::read(inputs, selection)? {
            return semantic::depth(&tables);
        }
        let (rows, noise_scale) = profiles(inputs, selection)?;
        let columns = [
            "model",
            "corpus",
            "block",
            "depth",
            "emergence_nats",
            "stderr_nats",
            "random_init_nats",
            "learned_nats",
            "control_nats",
        ];
        let mut table = Table::new(&columns);
        let mut figures = vec![];
        for (suffix, models) in read::figures(&rows) {
            let (mut panels, mut texts) = (vec![], false);
            for corpus in names(&rows, |row| row.corpus.as_str()) {
                let mut curves = vec![];
                for (name, model) in models.iter().enumerate() {
                    let points = points(&rows, corpus, model, &mut table);
                    texts |= points.iter().any(|(_, control)| *control);
                    let points: Vec<Point> = points.into_iter().map(|(point, _)| point).collect();
                    if !points.is_empty() {
                        curves.push(Curve { name, points });
                    }
                }
                if !curves.is_empty() {
                    panels.push(Panel { title: corpus.into(), curves });
                }
            }
            let curves = Curves {
                panels,
                names: models.iter().map(|model| (*model).to_owned()).collect(),
                x_label: "relative depth, block / blocks".into(),
                y_label: "emergence, nats".into(),
                dashed: Some(if texts { "shuffled control" } else { "randomly initialised model" }.into()),
                whole: false,
            };
            figures.push((suffix, curves.figure()?));
        }
        let caption = format!(
            "Emergence at the last reading point {}; bands are 95 % (1.96 standard errors). Block 1 is low \
             because its input knows only its own token.{}",
            at_noise_scale(noise_scale),
            reliability(&rows)
        );
        Ok(ReportContent { table, figures, caption })
    }
}

/// The points of one curve, each with whether a control stands beside it; their rows go into the table.
fn points(rows: &[ProfileRow], corpus: &str, model: &str, table: &mut Table) -> Vec<(Point, bool)> {
    let of: Vec<&ProfileRow> = rows
        .iter()
        .filter(|row| row.corpus == corpus && row.model == model && row.role != Role::Separator)
        .collect();
    let last = of.iter().map(|row| row.reading_index).max().unwrap_or(0);
    let blocks = of.iter().map(|row| row.block).max().unwrap_or(1);
    let (own, control): (Vec<&ProfileRow>, Vec<&ProfileRow>) =
        of.iter().filter(|row| row.reading_index == last).partition(|row| row.control.is_none());
    let mut points = vec![];
    for row in &own {
        let (u, control) = (row.block as f64 / blocks as f64, beside(row, &control));
        table.rows.push(vec![
            model.into(),
            corpus.into(),
            row.block.into(),
            u.into(),
            row.emergence_nats.into(),
            row.stderr_nats.into(),
            row.random_init_nats.into(),
            row.learned_nats.into(),
            control.into(),
        ]);
        let half = BAND * row.stderr_nats.unwrap_or(0.0);
        let point = Point {
            x: u,
            y: row.emergence_nats,
            half,
            beside: Some(control.unwrap_or(row.random_init_nats)),
        };
        points.push((point, control.is_some()));
    }
    points
}
