//! A table in memory: named columns of text or of numbers.

use surmise::{Error, Result};

/// The cells of a column; a missing number is NaN.
#[derive(Debug, Clone)]
pub enum Column {
    Text(Vec<String>),
    Numbers(Vec<f64>),
}

impl Column {
    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Text(cells) => Self::Text(rows.iter().map(|&row| cells[row].clone()).collect()),
            Self::Numbers(cells) => Self::Numbers(rows.iter().map(|&row| cells[row]).collect()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
        }
    }

    fn cell(&self, row: usize) -> String {
        match self {
            Self::Text(cells) => cells[row].clone(),
            Self::Numbers(cells) if cells[row].is_nan() => String::new(),
            Self::Numbers(cells) => cells[row].to_string(),
        }
    }
}

/// Columns of equal length, in order.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    columns: Vec<(String, Column)>,
}

impl Frame {
    /// Adds a column of text.
    pub fn text(mut self, name: &str, cells: Vec<String>) -> Self {
        self.columns.push((name.into(), Column::Text(cells)));
        self
    }

    /// Adds a column of numbers.
    pub fn numbers(mut self, name: &str, cells: Vec<f64>) -> Self {
        self.columns.push((name.into(), Column::Numbers(cells)));
        self
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Whether there is a column with this name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(column, _)| column == name)
    }

    fn find(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, column)| column).ok_or_else(|| fault(format!("there is no column {name}")))
    }

    /// The numbers of a column.
    ///
    /// # Errors
    /// [`Error::Calibration`] if there is no such column, or it contains text.
    pub fn get(&self, name: &str) -> Result<&[f64]> {
        match self.find(name)? {
            Column::Numbers(cells) => Ok(cells),
            Column::Text(_) => Err(fault(format!("column {name} contains text"))),
        }
    }

    /// The text of a column.
    ///
    /// # Errors
    /// [`Error::Calibration`] if there is no such column, or it contains numbers.
    pub fn words(&self, name: &str) -> Result<&[String]> {
        match self.find(name)? {
            Column::Text(cells) => Ok(cells),
            Column::Numbers(_) => Err(fault(format!("column {name} contains numbers"))),
        }
    }

    /// Some columns, in the order of the names.
    ///
    /// # Errors
    /// [`Error::Calibration`] for a name that does not exist.
    pub fn columns(&self, names: &[impl AsRef<str>]) -> Result<Self> {
        let pick = |name: &str| self.find(name).map(|column| (name.to_owned(), column.clone()));
        Ok(Self { columns: names.iter().map(|name| pick(name.as_ref())).collect::<Result<_>>()? })
    }

    /// All columns except some.
    pub fn without(mut self, names: &[impl AsRef<str>]) -> Self {
        self.columns.retain(|(name, _)| !names.iter().any(|other| other.as_ref() == name));
        self
    }

    /// Some rows, in the order given.
    pub fn rows(&self, rows: &[usize]) -> Self {
        let pick = |(name, column): &(String, Column)| (name.clone(), column.select(rows));
        Self { columns: self.columns.iter().map(pick).collect() }
    }

    /// The rows in which all these columns have a number.
    ///
    /// # Errors
    /// Returns the errors of [`Self::get`].
    pub fn complete(&self, names: &[&str]) -> Result<Self> {
        let columns = names.iter().map(|name| self.get(name)).collect::<Result<Vec<_>>>()?;
        let is_complete = |row: &usize| columns.iter().all(|cells| !cells[*row].is_nan());
        Ok(self.rows(&(0..self.len()).filter(is_complete).collect::<Vec<_>>()))
    }

    /// The same table with the numbers of one column removed in some rows.
    pub fn emptied(mut self, name: &str, is_empty: &[bool]) -> Self {
        for (column, cells) in &mut self.columns {
            if let Column::Numbers(cells) = cells
                && column == name
            {
                cells
                    .iter_mut()
                    .zip(is_empty)
                    .filter(|(_, empty)| **empty)
                    .for_each(|(cell, _)| *cell = f64::NAN);
            }
        }
        self
    }

    /// The table as CSV.
    ///
    /// # Errors
    /// [`Error::Calibration`] if the writer fails.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(vec![]);
        let stopped = |source: csv::Error| fault(source.to_string());
        writer.write_record(self.columns.iter().map(|(name, _)| name)).map_err(stopped)?;
        for row in 0..self.len() {
            writer.write_record(self.columns.iter().map(|(_, column)| column.cell(row))).map_err(stopped)?;
        }
        writer.into_inner().map_err(|source| fault(source.to_string()))
    }
}

/// An error of the comparison.
pub fn fault(reason: String) -> Error {
    Error::Calibration { reason }
}
