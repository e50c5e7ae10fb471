//! Report `depth`: emergence at the last reading point over relative depth `u = l / L`.

use std::path::PathBuf;

use super::content::numbered;
use super::draw::curves::{BAND, Curves, Point};
use super::profiles::beside;
use super::read::{self, PROFILES, at_noise_scale, by_size, names, profiles};
use super::reliability::reliability;
use super::wide::wide_depth;
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
        let corpora = names(&rows, |row| row.corpus.as_str());
        let mut texts = false;
        for corpus in &corpora {
            for model in by_size(&rows) {
                texts |= points(&rows, corpus, model, Some(&mut table)).iter().any(|(_, control)| *control);
            }
        }
        let layout = read::layout(&rows);
        let of = |model: &str, corpus: &str| points(&rows, corpus, model, None);
        let panels = layout.panels(&corpora, |model, corpus| {
            of(model, corpus).into_iter().map(|(point, _)| point).collect()
        });
        let curves = Curves {
            panels,
            key: layout.key.clone(),
            across: layout.across(corpora.len()),
            x_label: "relative depth, block / blocks".into(),
            y_label: "emergence, nats".into(),
            dashed: Some(if texts { "shuffled control" } else { "random init" }.into()),
            is_count: false,
        };
        let figures = numbered("", curves.figures()?);
        let caption = format!(
            "Emergence at the last reading point {}; bands are 95 % intervals (1.96 standard errors). Block \
             1 is low because each position of its input depends on one token only.{}",
            at_noise_scale(noise_scale),
            reliability(&rows)
        );
        let latex = wide_depth(&table, &["model", "corpus"], "emergence_nats", "stderr_nats");
        Ok(ReportContent { table, figures, caption, latex: Some(latex) })
    }
}

/// Returns the points of one curve, and for each point whether it has a control. If `table` is given, adds a
/// row for each point.
fn points(
    rows: &[ProfileRow],
    corpus: &str,
    model: &str,
    mut table: Option<&mut Table>,
) -> Vec<(Point, bool)> {
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
        let cells = vec![
            model.into(),
            corpus.into(),
            row.block.into(),
            u.into(),
            row.emergence_nats.into(),
            row.stderr_nats.into(),
            row.random_init_nats.into(),
            row.learned_nats.into(),
            control.into(),
        ];
        if let Some(table) = table.as_deref_mut() {
            table.rows.push(cells);
        }
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
