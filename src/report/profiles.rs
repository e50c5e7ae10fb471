//! Report `profiles`: emergence by block and position, as a table and as a heat map of each model and corpus.
//! For texts, it also shows the difference from the control.

use std::path::PathBuf;

use super::content::{heat_figures, suffix};
use super::draw::heatmap::{HeatCell, Heatmap, Heatmaps};
use super::flags;
use super::read::{PROFILES, at_noise_scale, by_size, names, profiles};
use super::reliability::reliability;
use super::{Cell, Report, ReportContent, ReportInput, Selection, Table, semantic};
use crate::corpus::Role;
use crate::emergence::ProfileRow;
use crate::error::Result;

pub(super) struct Profiles;

impl Report for Profiles {
    fn name(&self) -> &'static str {
        "profiles"
    }

    fn summary(&self) -> &'static str {
        "the semantic share by block and number of examples, or positional emergence by block and position"
    }

    fn input(&self) -> ReportInput {
        PROFILES
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        if let Some(tables) = semantic::read(inputs, selection)? {
            return semantic::profiles(&tables);
        }
        let (rows, noise_scale) = profiles(inputs, selection)?;
        let mut table = Table::new(&[
            "model",
            "corpus",
            "n_windows",
            "block",
            "role",
            "reading_index",
            "emergence_nats",
            "stderr_nats",
            "random_init_nats",
            "learned_nats",
            "control_nats",
            "less_control_nats",
        ]);
        let mut maps = vec![];
        for model in by_size(&rows) {
            let of_model: Vec<&ProfileRow> = rows.iter().filter(|row| row.model == model).collect();
            for corpus in names(&of_model, |row| row.corpus.as_str()) {
                let (own, control): (Vec<&ProfileRow>, Vec<&ProfileRow>) =
                    of_model.iter().filter(|row| row.corpus == corpus).partition(|row| row.control.is_none());
                for row in &own {
                    let beside = beside(row, &control);
                    table.rows.push(vec![
                        model.into(),
                        corpus.into(),
                        row.n_windows.into(),
                        row.block.into(),
                        role(row.role),
                        row.reading_index.into(),
                        row.emergence_nats.into(),
                        row.stderr_nats.into(),
                        row.random_init_nats.into(),
                        row.learned_nats.into(),
                        beside.into(),
                        beside.map(|control| row.emergence_nats - control).into(),
                    ]);
                }
                maps.push((suffix(&[model, corpus]), heat(&format!("{model}, {corpus}"), &own, &control)));
            }
        }
        let figures = heat_figures(maps)?;
        let caption = format!(
            "Emergence by block and reading point {}: macro minus micro mutual information; `learned` is the \
             difference from the randomly initialised model. All maps have the same colour scale; block 1, \
             whose input depends on one token, is excluded from it.{}",
            at_noise_scale(noise_scale),
            reliability(&rows)
        );
        Ok(ReportContent { table, figures, caption, latex: None })
    }
}

/// The name of a role in files.
pub(super) fn role(role: Role) -> Cell {
    Cell::from(match role {
        Role::Prefix => "prefix",
        Role::Entity => "entity",
        Role::Separator => "separator",
        Role::Text => "text",
    })
}

/// The emergence of the control at the block, role and reading point of a row.
pub(super) fn beside(row: &ProfileRow, control: &[&ProfileRow]) -> Option<f64> {
    let same = |other: &&&ProfileRow| {
        (other.block, other.role, other.reading_index) == (row.block, row.role, row.reading_index)
    };
    control.iter().find(same).map(|other| other.emergence_nats)
}

/// The maps of one model and corpus. Separators of series are excluded, because they are one fixed token.
fn heat(title: &str, own: &[&ProfileRow], control: &[&ProfileRow]) -> Heatmaps {
    let shown: Vec<&&ProfileRow> = own.iter().filter(|row| row.role != Role::Separator).collect();
    let blocks = shown.iter().map(|row| row.block).max().unwrap_or(0);
    let positions = shown.iter().map(|row| row.reading_index).max().unwrap_or(0);
    let texts = shown.iter().any(|row| row.role == Role::Text);
    let fill = |value: &dyn Fn(&ProfileRow) -> Option<f64>| {
        let mut cells = vec![vec![None; positions]; blocks];
        for row in &shown {
            let is_flagged = !flags::positional(row).is_empty();
            let cell = value(row).map(|value| HeatCell { value, is_flagged });
            cells[row.block - 1][row.reading_index - 1] = cell;
        }
        cells
    };
    let emergence = Heatmap {
        title: title.into(),
        cells: fill(&|row| Some(row.emergence_nats)),
        is_signed: false,
        unit: "emergence, nats".into(),
        scale: None,
    };
    let (cells, beside) = if control.is_empty() {
        (fill(&|row| Some(row.learned_nats)), "random init")
    } else {
        let less = |row: &ProfileRow| beside(row, control).map(|control| row.emergence_nats - control);
        (fill(&less), "shuffled control")
    };
    let unit = format!("emergence - {beside}");
    let less = Heatmap { title: String::new(), cells, is_signed: true, unit, scale: None };
    Heatmaps {
        maps: vec![emergence, less],
        x_label: if texts { "position in the window" } else { "entity of the series" }.into(),
        y_label: "block".into(),
        columns: (1..=positions).map(|position| position.to_string()).collect(),
        n_masked: 1,
        mask: "block 1, not on the scale".into(),
        flag: "flagged: near a ceiling, a sink, or few windows".into(),
    }
}
