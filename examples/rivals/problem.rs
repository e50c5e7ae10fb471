//! Defines problems and their tasks: a table, the rows to predict, and what a user would specify about the
//! columns.

use surmise::Result;
use surmise::calibration::{CalibrationSpec, Table};

use crate::frame::{Frame, fault};

/// Level of the intervals.
pub const LEVEL: f64 = 0.9;
/// Maximum number of tasks of one problem. For a longer list, evenly spaced tasks are used.
const MOST_TASKS: usize = 40;

/// The half of a problem: the half for tuning the calibration, or the half for the final comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Half {
    Development,
    Judging,
}

impl Half {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Judging => "judging",
        }
    }
}

/// The input of the rivals: features, columns of size and compute, and the range of the target.
#[derive(Debug, Clone)]
pub struct RivalColumns {
    pub features: Vec<String>,
    pub size: Option<&'static str>,
    pub compute: Option<&'static str>,
    pub range: (f64, f64),
}

impl RivalColumns {
    /// The columns for a target that is a share: `features`, the size in `params_b`, and no training compute.
    pub fn new(features: Vec<String>) -> Self {
        Self { features, size: Some("params_b"), compute: None, range: (0.0, 1.0) }
    }
}

/// One table with rows to predict.
#[derive(Debug, Clone)]
pub struct Task {
    pub name: String,
    /// All rows, with the truth of the rows to predict.
    pub frame: Frame,
    pub target: String,
    /// Whether a row is to be predicted.
    pub asked: Vec<bool>,
    /// Flags in addition to the target. They are the defaults, unless the problem needs a flag for a column.
    pub flags: CalibrationSpec,
    pub rivals: RivalColumns,
    /// The divisor of errors.
    pub unit: f64,
}

impl Task {
    /// A task with default flags. Rows to predict with unknown truth are left out.
    ///
    /// # Errors
    /// The errors of [`Frame::get`]; [`Error::Calibration`](surmise::Error::Calibration) if no row has a
    /// feature of the rivals, or if there are no rows to fit or to predict. In these cases the files are not
    /// from the expected commit.
    pub fn new(
        name: impl Into<String>,
        frame: &Frame,
        target: &str,
        asked: &[bool],
        rivals: RivalColumns,
    ) -> Result<Self> {
        let truth = frame.get(target)?;
        let kept: Vec<usize> = (0..frame.len()).filter(|&row| !(asked[row] && truth[row].is_nan())).collect();
        let name = name.into();
        for feature in &rivals.features {
            if frame.get(feature)?.iter().all(|cell| cell.is_nan()) {
                return Err(fault(format!(
                    "{name}: no row has a value of {feature}; fetch the tables again with \
                     scripts/rivals-data"
                )));
            }
        }
        let task = Self {
            name,
            target: target.into(),
            asked: kept.iter().map(|&row| asked[row]).collect(),
            frame: frame.rows(&kept),
            flags: CalibrationSpec { target: target.into(), level: LEVEL, ..CalibrationSpec::default() },
            rivals,
            unit: 1.0,
        };
        let (fitted, predicted) = (task.fitted_rows()?.len(), task.asked_rows().len());
        if fitted == 0 || predicted == 0 {
            let reason = format!(
                "{}: {fitted} rows to fit and {predicted} to predict; fetch the tables again with \
                 scripts/rivals-data",
                task.name
            );
            return Err(fault(reason));
        }
        Ok(task)
    }

    /// The rows to predict.
    pub fn asked_rows(&self) -> Vec<usize> {
        (0..self.asked.len()).filter(|&row| self.asked[row]).collect()
    }

    /// The rows to fit: they are not to be predicted and have a target.
    ///
    /// # Errors
    /// Returns the errors of [`Frame::get`].
    pub fn fitted_rows(&self) -> Result<Vec<usize>> {
        let y = self.frame.get(&self.target)?;
        Ok((0..self.asked.len()).filter(|&row| !self.asked[row] && !y[row].is_nan()).collect())
    }

    /// The table that surmise reads, without the truth of the rows to predict.
    ///
    /// # Errors
    /// Returns the errors of [`Table::from_bytes`].
    pub fn table(&self) -> Result<Table> {
        let bytes = self.frame.clone().emptied(&self.target, &self.asked).to_csv()?;
        Table::from_bytes(format!("{}.csv", self.name).as_ref(), &bytes)
    }
}

/// Tasks of one kind from one source.
#[derive(Debug, Clone)]
pub struct Problem {
    pub name: &'static str,
    /// A description of targets and features, for the table of results.
    pub title: &'static str,
    pub half: Half,
    pub tasks: Vec<Task>,
}

impl Problem {
    /// Creates a problem. If there are more than 40 tasks, it uses 40 evenly spaced tasks.
    pub fn new(name: &'static str, title: &'static str, half: Half, mut tasks: Vec<Task>) -> Self {
        let n = tasks.len();
        if n > MOST_TASKS {
            let taken: Vec<usize> = (0..MOST_TASKS).map(|at| at * n / MOST_TASKS).collect();
            tasks = taken.into_iter().map(|at| tasks[at].clone()).collect();
        }
        Self { name, title, half, tasks }
    }
}

/// A number determined by a seed and a position (the finaliser of SplitMix64).
fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(place.wrapping_add(1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in [0, 1) determined by a seed and a position.
pub fn uniform(seed: u64, place: u64) -> f64 {
    (mix(seed, place) >> 11) as f64 / (1u64 << 53) as f64
}

/// For each of `k` random folds, whether each row is in the fold.
pub fn folds(seed: u64, n: usize, k: usize) -> Vec<Vec<bool>> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&row| mix(seed, row as u64));
    let mut folds = vec![vec![false; n]; k];
    for (at, row) in order.into_iter().enumerate() {
        folds[at % k][row] = true;
    }
    folds
}

/// Texts in the order in which they first occur.
pub fn distinct(cells: &[String]) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    for cell in cells {
        if !found.contains(cell) {
            found.push(cell.clone());
        }
    }
    found
}

/// Whether each cell of a text column has this value.
pub fn is(cells: &[String], value: &str) -> Vec<bool> {
    cells.iter().map(|cell| cell == value).collect()
}
