//! Reports the share over relative depth, with one figure for each number of examples.

use super::super::content::numbered;
use super::super::draw::curves::{BAND, Curves, Point};
use super::super::wide::wide_depth;
use super::super::{ReportContent, Table};
use super::read::SemanticTables;
use super::reliability::reliability;
use crate::emergence::semantic::SemanticRow;
use crate::error::Result;
use crate::numeric::shown::count;

/// Makes the report.
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
    for shots in tables.shots() {
        for corpus in tables.corpora() {
            for model in tables.models() {
                let cells = |row: &SemanticRow| {
                    vec![
                        model.into(),
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
                };
                table.rows.extend(tables.blocks(model, corpus, shots).into_iter().map(cells));
            }
        }
    }
    let (layout, corpora) = (tables.layout(), tables.corpora());
    let mut figures = vec![];
    for shots in tables.shots() {
        let points =
            |model: &str, corpus: &str| tables.blocks(model, corpus, shots).into_iter().map(point).collect();
        let curves = Curves {
            panels: layout.panels(&corpora, points),
            key: layout.key.clone(),
            across: layout.across(corpora.len()),
            x_label: "relative depth, block / blocks".into(),
            y_label: format!("share, {}", count(shots, "example")),
            dashed: tables.has_random_init().then(|| "random init".into()),
            is_count: false,
        };
        figures.extend(numbered(&format!("-{shots}-shots"), curves.figures()?));
    }
    let caption = format!(
        "Share of semantic information over relative depth at {}; bands are 95 % intervals (1.96 standard \
         errors). After the last block, it nearly equals the share of the model's output by construction.{}",
        tables.design(),
        reliability(tables)
    );
    let latex = wide_depth(&table, &["model", "corpus", "shots"], "macro_share", "macro_share_stderr");
    Ok(ReportContent { table, figures, caption, latex: Some(latex) })
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
