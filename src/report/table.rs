//! Formats a table as tidy CSV with full precision, as LaTeX for booktabs and siunitx, and as Markdown.

use crate::disk;
use crate::error::Result;
use crate::numeric::shown::fixed;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A count.
    Count(i64),
    /// A number, and its decimals in LaTeX and Markdown.
    Number(f64, usize),
    /// A number and its standard error, in the notation of siunitx: 0.123(12).
    WithError(f64, f64),
    /// A missing value: an empty cell.
    Missing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        i64::try_from(count).map_or(Self::Missing, Self::Count)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Number(value, DECIMALS) } else { Self::Missing }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// Default decimals in LaTeX and Markdown. Standard errors in nats are a few hundredths.
const DECIMALS: usize = 3;

impl Cell {
    /// A number with its standard error, if known.
    pub fn with_error(value: f64, stderr: Option<f64>) -> Self {
        match stderr.filter(|stderr| stderr.is_finite() && value.is_finite()) {
            Some(stderr) => Self::WithError(value, stderr),
            None => value.into(),
        }
    }

    /// The number in the cell.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value, _) | Self::WithError(value, _) => Some(*value),
            Self::Count(count) => Some(*count as f64),
            Self::Text(_) | Self::Missing => None,
        }
    }

    /// The rounded form for LaTeX and Markdown.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Number(value, _) if !value.is_finite() => String::new(),
            Self::Number(value, decimals) => fixed(*value, *decimals),
            Self::WithError(value, stderr) => {
                let digits = (stderr * 10f64.powi(DECIMALS as i32)).round();
                format!("{}({digits:.0})", Self::Number(*value, DECIMALS).shown())
            }
            Self::Missing => String::new(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Count(count) => (*count).into(),
            Self::Number(value, _) | Self::WithError(value, _) => (*value).into(),
            Self::Missing => serde_json::Value::Null,
        }
    }

    /// The form with full precision for CSV.
    fn exact(&self) -> String {
        match self {
            Self::Number(value, _) | Self::WithError(value, _) if value.is_finite() => value.to_string(),
            other => other.shown(),
        }
    }
}

/// A table with named columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Column names in snake_case, with the unit as suffix.
    pub columns: Vec<&'static str>,
    /// The rows. Each has one cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Number of trailing columns that appear only in CSV and JSON, such as long texts.
    pub n_hidden: usize,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.into(), rows: vec![], n_hidden: 0 }
    }

    /// An empty table. The columns `hidden` follow `columns` and appear only in CSV and JSON.
    pub fn with_hidden(columns: &[&'static str], hidden: &[&'static str]) -> Self {
        Self { columns: [columns, hidden].concat(), rows: vec![], n_hidden: hidden.len() }
    }

    /// Number of columns in LaTeX and Markdown.
    fn n_shown(&self) -> usize {
        self.columns.len() - self.n_hidden
    }

    fn shown_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().take(self.n_shown()).copied()
    }

    /// The cells as JSON values with full precision; `null` for a missing value.
    pub fn values(&self) -> Vec<Vec<serde_json::Value>> {
        self.rows.iter().map(|row| row.iter().map(Cell::json).collect()).collect()
    }

    /// The table as CSV (RFC 4180) with full precision.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write) if a row does not have one cell for each column.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut lines: Vec<Vec<String>> = vec![self.columns.iter().map(|name| (*name).to_owned()).collect()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(Cell::exact).collect()));
        disk::csv_bytes("report.csv".as_ref(), &lines)
    }

    /// A LaTeX `tabular` with booktabs rules and siunitx number columns. The caption is a comment above it.
    pub fn latex(&self, caption: &str) -> String {
        let mut text = String::from("% \\usepackage{booktabs,siunitx}\n");
        caption.lines().for_each(|line| text.push_str(&format!("% {line}\n")));
        let columns: Vec<String> = (0..self.n_shown()).map(|at| self.latex_column(at)).collect();
        text.push_str(&format!("\\begin{{tabular}}{{{}}}\n\\toprule\n", columns.join(" ")));
        let heads = self.shown_columns().map(|name| format!("{{{}}}", escaped(&head(name))));
        text.push_str(&format!("{} \\\\\n\\midrule\n", heads.collect::<Vec<_>>().join(" & ")));
        for row in &self.rows {
            let cells = row.iter().take(self.n_shown()).enumerate().map(|(at, cell)| match cell {
                Cell::Text(words) if self.is_number(at) => format!("{{{}}}", escaped(words)),
                Cell::Text(words) => escaped(words),
                Cell::Missing => "{}".into(),
                number => number.shown(),
            });
            text.push_str(&format!("{} \\\\\n", cells.collect::<Vec<_>>().join(" & ")));
        }
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        text
    }

    /// The table as GitHub Markdown, with numbers aligned to the right and the caption below.
    pub fn markdown(&self, caption: &str) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.shown_columns().map(head).collect());
        let rule = |at| if self.is_number(at) { "---:" } else { "---" };
        text.push_str(&line((0..self.n_shown()).map(|at| rule(at).to_owned()).collect()));
        for row in &self.rows {
            let shown = row.iter().take(self.n_shown());
            text.push_str(&line(shown.map(|cell| cell.shown().replace('|', "\\|")).collect()));
        }
        format!("{text}\n{caption}\n")
    }

    fn is_number(&self, at: usize) -> bool {
        self.rows.iter().any(|row| row[at].number().is_some())
    }

    /// The LaTeX column type: `S` with the digits that the column needs, or `l` for text.
    fn latex_column(&self, at: usize) -> String {
        if !self.is_number(at) {
            return "l".into();
        }
        let numbers = self.rows.iter().filter(|row| row[at].number().is_some());
        let (mut sign, mut whole, mut decimals, mut error) = ("", 1, 0, 0);
        for shown in numbers.map(|row| row[at].shown()) {
            let (shown, uncertain) = shown.split_once('(').unwrap_or((&shown, ""));
            error = error.max(uncertain.trim_end_matches(')').len());
            if shown.starts_with('-') {
                sign = "-";
            }
            let mut parts = shown.trim_start_matches('-').split('.');
            whole = whole.max(parts.next().map_or(0, str::len));
            decimals = decimals.max(parts.next().map_or(0, str::len));
        }
        let error = if error > 0 { format!("({error})") } else { String::new() };
        format!("S[table-format={sign}{whole}.{decimals}{error}]")
    }
}

/// The heading of a column in LaTeX and Markdown: words, then the unit after a comma.
fn head(name: &str) -> String {
    let (name, unit) = match name.strip_suffix("_nats2") {
        Some(name) => (name, ", nats²"),
        None => name.strip_suffix("_nats").map_or((name, ""), |name| (name, ", nats")),
    };
    format!("{}{unit}", name.replace('_', " "))
}

/// Escapes the special characters of LaTeX.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '²' => out.push_str("\\textsuperscript{2}"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["model", "n_params", "emergence_nats"]);
        table.rows.push(vec!["a_b|c".into(), 1200.into(), (-0.12345).into()]);
        table.rows.push(vec!["d".into(), Cell::Missing, 11.5.into()]);
        table
    }

    #[test]
    fn csv_keeps_every_digit_and_leaves_missing_cells_empty() {
        let csv = String::from_utf8(table().csv().unwrap()).unwrap();
        assert_eq!(csv, "model,n_params,emergence_nats\na_b|c,1200,-0.12345\nd,,11.5\n");
    }

    #[test]
    fn latex_has_rules_number_columns_and_no_stray_command() {
        let latex = table().latex("n = 2");
        assert!(latex.contains("% n = 2\n"));
        assert!(
            latex.contains("\\begin{tabular}{l S[table-format=4.0] S[table-format=-2.3]}\n\\toprule\n"),
            "{latex}"
        );
        assert!(
            latex.contains(
                "{model} & {n params} & {emergence, nats} \\\\\n\\midrule\na\\_b|c & 1200 & -0.123 \\\\\nd \
                 & {} & 11.500 \\\\\n\\bottomrule"
            ),
            "{latex}"
        );
    }

    #[test]
    fn markdown_puts_numbers_to_the_right_and_escapes_bars() {
        let text = table().markdown("n = 2");
        assert_eq!(
            text,
            "| model | n params | emergence, nats |\n| --- | ---: | ---: |\n| a_b\\|c | 1200 | -0.123 |\n| \
             d |  | 11.500 |\n\nn = 2\n"
        );
    }

    #[test]
    fn what_rounds_to_zero_has_no_sign_and_what_is_not_finite_is_missing() {
        assert_eq!(Cell::from(-0.0001).shown(), "0.000");
        assert_eq!(Cell::from(f64::NAN), Cell::Missing);
    }
}
