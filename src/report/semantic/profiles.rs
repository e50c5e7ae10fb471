//! Reports the share by block and number of examples, as a table and as a heat map of each model and corpus.

use super::super::content::{heat_figures, suffix};
use super::super::draw::heatmap::{HeatCell, Heatmap, Heatmaps};
use super::super::flags;
use super::super::{ReportContent, Table};
use super::read::SemanticTables;
use super::reliability::reliability;
use crate::emergence::semantic::SemanticRow;
use crate::error::Result;

/// Makes the report.
pub(in crate::report) fn profiles(tables: &SemanticTables) -> Result<ReportContent> {
    let mut table = Table::new(&[
        "model",
        "corpus",
        "shots",
        "block",
        "macro_share",
        "macro_share_stderr",
        "micro_nats",
        "emergence_nats",
        "output_share",
        "random_init_share",
        "no_shared_answer_share",
        "half_sets_share",
    ]);
    let mut maps = vec![];
    let shots = tables.shots();
    for model in tables.models() {
        for corpus in tables.corpora() {
            let of: Vec<Vec<&SemanticRow>> =
                shots.iter().map(|shots| tables.blocks(model, corpus, *shots)).collect();
            if of.iter().all(Vec::is_empty) {
                continue;
            }
            for row in of.iter().flatten() {
                table.rows.push(vec![
                    model.into(),
                    corpus.into(),
                    row.shots.into(),
                    row.block.into(),
                    row.macro_share.into(),
                    row.macro_share_stderr.into(),
                    row.micro_nats.into(),
                    row.emergence_nats.into(),
                    row.output_share.into(),
                    row.macro_share_random_init.into(),
                    row.macro_share_no_shared_answer.into(),
                    row.macro_share_half_sets.into(),
                ]);
            }
            maps.push((suffix(&[model, corpus]), heat(&format!("{model}, {corpus}"), &of, &shots)));
        }
    }
    let figures = heat_figures(maps)?;
    let caption = format!(
        "Share of semantic information by block and number of examples at {}: 0 is chance, 1 is certainty. \
         All maps have the same colour scale; block 1, whose input depends on one token, is excluded from \
         it. Micro is the information about which examples were shown; emergence is macro minus micro; both \
         are in nats.{}",
        tables.design(),
        reliability(tables)
    );
    Ok(ReportContent { table, figures, caption, latex: None })
}

/// The map of one model and corpus, and the map of its difference from random init, if measured.
fn heat(title: &str, of: &[Vec<&SemanticRow>], shots: &[usize]) -> Heatmaps {
    let blocks = of.iter().flatten().map(|row| row.blocks).max().unwrap_or(0);
    let fill = |value: &dyn Fn(&SemanticRow) -> Option<f64>| {
        let mut cells = vec![vec![None; shots.len()]; blocks];
        for (column, rows) in of.iter().enumerate() {
            for row in rows.iter().filter(|row| (1..=blocks).contains(&row.block)) {
                let is_flagged = !flags::semantic(row).is_empty();
                cells[row.block - 1][column] = value(row).map(|value| HeatCell { value, is_flagged });
            }
        }
        cells
    };
    let share = Heatmap {
        title: title.into(),
        cells: fill(&|row| Some(row.macro_share)),
        is_signed: false,
        unit: "share".into(),
        scale: None,
    };
    let learned = Heatmap {
        title: String::new(),
        cells: fill(&|row| Some(row.macro_share - row.macro_share_random_init?)),
        is_signed: true,
        unit: "share - random init".into(),
        scale: None,
    };
    Heatmaps {
        maps: vec![share, learned],
        x_label: "examples in the prompt".into(),
        y_label: "block".into(),
        columns: shots.iter().map(ToString::to_string).collect(),
        n_masked: 1,
        mask: "block 1, not on the scale".into(),
        flag: "not above chance or random init".into(),
    }
}
