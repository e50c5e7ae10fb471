//! The share over relative depth, a figure for each number of examples.

use super::super::draw::curves::{BAND, Curve, Curves, Panel, Point};
use super::super::{ReportContent, Table};
use super::read::SemanticTables;
use super::reliability::reliability;
use crate::emergence::semantic::SemanticRow;
use crate::error::Result;

/// The report.
pub(in crate::report) fn depth(tables: &SemanticTables) -> Result<ReportContent> {
    let mut table = Table::new(&[
        "model",
        "corpus",
        "shots",
        "block",
        "depth",
        "macro_share",
        "macro_share_stderr",
        "output_share",
        "random_init_share",
        "no_shared_answer_share",
    ]);
    let mut figures = vec![];
    for shots in tables.shots() {
        for (suffix, models) in tables.figures() {
            let mut panels = vec![];
            for corpus in tables.corpora() {
                let mut curves = vec![];
                for (name, model) in models.iter().enumerate() {
                    let rows = tables.blocks(model, corpus, shots);
                    table.rows.extend(rows.iter().map(|row| {
                        vec![
                            (*model).into(),
                            corpus.into(),
                            shots.into(),
                            row.block.into(),
                            u(row).into(),
                            row.macro_share.into(),
                            row.macro_share_stderr.into(),
                            row.output_share.into(),
                            row.macro_share_random_init.into(),
                            row.macro_share_no_shared_answer.into(),
                        ]
                    }));
                    if !rows.is_empty() {
                        curves.push(Curve { name, points: rows.into_iter().map(point).collect() });
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
                y_label: format!("share, {shots} {}", if shots == 1 { "example" } else { "examples" }),
                dashed: tables.has_random_init().then(|| "randomly initialised model".into()),
                whole: false,
            };
            figures.push((format!("-{shots}-shots{suffix}"), curves.figure()?));
        }
    }
    let caption = format!(
        "Share of semantic information over relative depth at {}; bands are 95 % (1.96 standard errors). \
         After the last block it goes with the model's output nearly by construction.{}",
        tables.design(),
        reliability(tables)
    );
    Ok(ReportContent { table, figures, caption })
}

fn u(row: &SemanticRow) -> f64 {
    row.block as f64 / row.blocks as f64
}

fn point(row: &SemanticRow) -> Point {
    Point {
        x: u(row),
        y: row.macro_share,
        half: BAND * row.macro_share_stderr.unwrap_or(0.0),
        beside: row.macro_share_random_init,
    }
}
