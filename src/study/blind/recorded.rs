//! Recorded observations: what was measured of members whose weights are not at hand. They are rows of
//! observations.csv of an earlier blind test, and cards are fitted on them as on the members.

use std::path::Path;

use super::family::Member;
use crate::calibration::Table;
use crate::error::{Error, Result};

/// Observations of checkpoints of the embedded families that are not in the repository; calibration/README.md
/// has the commands that made it.
static EMBEDDED: &[u8] = include_bytes!("../../../calibration/rows.csv");

/// Rows of members that were measured before.
#[derive(Debug, Default)]
pub struct RecordedRows {
    columns: Vec<String>,
    rows: Vec<RecordedRow>,
}

/// One row, and whose it is.
#[derive(Debug)]
struct RecordedRow {
    member: Member,
    proxy: String,
    cells: Vec<String>,
}

impl RecordedRows {
    /// The recorded checkpoints of the embedded families.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn embedded() -> Result<Self> {
        Self::parse("rows.csv".as_ref(), EMBEDDED)
    }

    /// Reads observations.csv of a blind test. A model called `RUN-stepN` is the checkpoint of a run at that
    /// step, any other one the last checkpoint of its run.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Csv`] for a file that lacks a column or the size of a model.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(path, &bytes)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let table = Table::from_bytes(path, bytes)?;
        let (ids, families) = (table.text("target_model")?, table.text("family")?);
        let (sizes, proxies) = (table.numbers("params_b")?, table.text("proxy_model")?);
        let columns = table.columns().to_vec();
        let cells = columns.iter().map(|column| table.text(column)).collect::<Result<Vec<_>>>()?;
        let mut rows = vec![];
        for at in 0..table.len() {
            let id = ids[at].to_owned();
            let (run, step) = match id.split_once("-step").map(|(run, step)| (run, step.parse())) {
                Some((run, Ok(step))) => (run.to_owned(), Some(step)),
                _ => (id.clone(), None),
            };
            let Some(params_b) = sizes[at].filter(|_| !families[at].is_empty()) else {
                let reason = format!("{id} has no family or no size in params_b, by which rows are chosen");
                return Err(table.fault(at, reason));
            };
            let member = Member {
                name: id.clone(),
                id,
                family: families[at].into(),
                run,
                step,
                n_params: (params_b * 1e9).round() as usize,
                weights_sha256: String::new(),
            };
            let proxy = proxies[at].to_owned();
            rows.push(RecordedRow {
                member,
                proxy,
                cells: cells.iter().map(|cell| cell[at].into()).collect(),
            });
        }
        Ok(Self { columns, rows })
    }

    /// The ids of the models that the rows are of.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row.member.id == id)
    }

    /// The members and the cells, in the order of `header`, of the rows that may be known of a hidden member
    /// whose others are `others`. A row whose proxy is none of the others would tell of it.
    ///
    /// # Errors
    /// [`Error::Study`] if the rows have other columns.
    pub(crate) fn known(
        &self,
        hidden: &Member,
        others: &[&str],
        header: &[String],
    ) -> Result<Vec<(&Member, Vec<String>)>> {
        if self.rows.is_empty() {
            return Ok(vec![]);
        }
        let place = |name: &String| {
            self.columns.iter().position(|column| column == name).ok_or_else(|| Error::Study {
                reason: format!("the recorded rows have no column {name}; record them with this version"),
            })
        };
        let places = header.iter().map(place).collect::<Result<Vec<_>>>()?;
        let is_known =
            |row: &&RecordedRow| hidden.may_know(&row.member) && others.contains(&row.proxy.as_str());
        let cells = |row: &RecordedRow| places.iter().map(|&at| row.cells[at].clone()).collect();
        Ok(self.rows.iter().filter(is_known).map(|row| (&row.member, cells(row))).collect())
    }
}
