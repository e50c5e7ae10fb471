//! Reads recorded observations: rows of the observations.csv of an earlier blind test, for models whose
//! weights are not available. Cards are fitted on them together with the rows of the members.

use std::collections::BTreeSet;
use std::path::Path;

use super::family::Member;
use super::settings::BlindSettings;
use crate::calibration::Table;
use crate::corpus::Category;
use crate::disk;
use crate::error::{Error, Result};
use crate::model::checkpoint;

/// Observations of checkpoints of the embedded families that are not in the repository. calibration/README.md
/// lists the commands that produced them.
static EMBEDDED: &[u8] = include_bytes!("../../../calibration/rows.csv");

/// Rows of models that were measured earlier.
#[derive(Debug, Default)]
pub struct RecordedRows {
    columns: Vec<String>,
    rows: Vec<RecordedRow>,
}

/// One row and its model.
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
    /// Returns the errors of [`Self::read`].
    pub fn embedded() -> Result<Self> {
        Self::parse("rows.csv".as_ref(), EMBEDDED)
    }

    /// Reads the observations.csv of a blind test. A model id of the form `RUN-stepN` denotes the checkpoint
    /// of a run at step N; any other id denotes the last checkpoint of its run.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Csv`] if a column, a family or the size of a model is missing.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
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
            let (run, step) = checkpoint(ids[at]);
            let Some(params_b) = sizes[at].filter(|_| !families[at].is_empty()) else {
                let reason = format!(
                    "{id} has no `family` or no `params_b`, which are needed to choose rows; fill both cells"
                );
                return Err(table.fault(at, reason));
            };
            let member = Member {
                name: id.clone(),
                id,
                family: families[at].into(),
                run: run.into(),
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

    /// Checks that the test uses at least one of the rows, if there are any.
    ///
    /// # Errors
    /// [`Error::Parameter`] if no row has a corpus and a number of examples of `settings`; the errors of
    /// [`Category::load`].
    pub(super) fn check(&self, settings: &BlindSettings) -> Result<()> {
        let corpora = settings.corpora.iter().map(|name| Ok(Category::load(name)?.name));
        let corpora = corpora.collect::<Result<Vec<_>>>()?;
        let cell = |row: &RecordedRow, name: &str| {
            let at = self.columns.iter().position(|column| column == name);
            at.map(|at| row.cells[at].clone()).unwrap_or_default()
        };
        let is_asked = |row: &RecordedRow| {
            let shots = cell(row, "shots").parse().is_ok_and(|shots| settings.shots.contains(&shots));
            shots && corpora.contains(&cell(row, "corpus"))
        };
        if self.rows.is_empty() || self.rows.iter().any(is_asked) {
            return Ok(());
        }
        let theirs: BTreeSet<String> = self.rows.iter().map(|row| cell(row, "corpus")).collect();
        let reason = format!(
            "contains no row with a corpus and a number of examples of this test (corpora {}, numbers of \
             examples {:?}); its rows are from the corpora {}. Change --corpus and --shots to match the \
             rows, or omit --rows",
            corpora.join(", "),
            settings.shots,
            theirs.into_iter().collect::<Vec<_>>().join(", ")
        );
        Err(Error::Parameter { name: "--rows", reason })
    }

    /// Whether a model has recorded rows.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row.member.id == id)
    }

    /// The recorded rows that may be used to predict `hidden` with the members `others`, in the columns of
    /// `table` (header first), with their models. Rows of other corpora or numbers of examples are skipped.
    /// Rows whose proxy is not in `others` are skipped as well, because they contain measurements of that
    /// proxy.
    ///
    /// # Errors
    /// [`Error::Study`] if the rows lack a column; [`Error::Parameter`] for rows of another design, and for
    /// rows of the hidden member under another id.
    pub(crate) fn known(
        &self,
        hidden: &Member,
        others: &[&str],
        table: &[Vec<String>],
    ) -> Result<Vec<(&Member, Vec<String>)>> {
        let [header, own @ ..] = table else { return Ok(vec![]) };
        if self.rows.is_empty() {
            return Ok(vec![]);
        }
        let place = |name: &String| {
            self.columns.iter().position(|column| column == name).ok_or_else(|| Error::Study {
                reason: format!(
                    "the recorded rows have no column {name}; record them again with this version"
                ),
            })
        };
        let places = header.iter().map(place).collect::<Result<Vec<_>>>()?;
        let at = |name: &str| header.iter().position(|column| column == name).unwrap_or_default();
        let (model, corpus, shots, logprob) =
            (at("target_model"), at("corpus"), at("shots"), at("semantic_logprob_nats"));
        let fault = |reason: String| Err(Error::Parameter { name: "--rows", reason });
        let mut known = vec![];
        for row in &self.rows {
            let cells: Vec<String> = places.iter().map(|&at| row.cells[at].clone()).collect();
            let alike = |other: &&Vec<String>| [corpus, shots].iter().all(|&at| other[at] == cells[at]);
            let Some(asked) = own.iter().find(alike) else { continue };
            if let Some(name) = DESIGN.iter().find(|name| asked[at(name)] != cells[at(name)]) {
                return fault(format!(
                    "contains rows of {} with another design on {} ({name}: {} in the rows, {} in this \
                     test); use the same design, or leave the rows out",
                    row.member.id,
                    cells[corpus],
                    cells[at(name)],
                    asked[at(name)]
                ));
            }
            let is_hidden = |other: &&Vec<String>| {
                other[model] == hidden.id && alike(other) && other[logprob] == cells[logprob]
            };
            if own.iter().any(|other| is_hidden(&other)) {
                return fault(format!(
                    "contains rows of {} that are identical to rows of the hidden member {}; remove these \
                     rows",
                    row.member.id, hidden.id
                ));
            }
            if hidden.may_know(&row.member) && others.contains(&row.proxy.as_str()) {
                known.push((&row.member, cells));
            }
        }
        Ok(known)
    }
}

/// The columns that identify the design of the prompts.
const DESIGN: [&str; 5] = ["corpus_sha256", "form", "sets", "queries", "noise_scale"];
