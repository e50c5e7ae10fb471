//! Predicts the rows of a closed model without a card: from averages over the rows of other models, and from
//! regressions on these rows. Every baseline takes the corpus of the row into account.

use ndarray::Array2;

use crate::calibration::{Link, Table, least_squares_at};
use crate::error::Result;
use crate::numeric::statistics::mean;

/// The features of the regression on answers.
const OUTSIDE: [&str; 3] = ["semantic_logprob_nats", "semantic_accuracy", "semantic_output_share"];

/// The baselines of one row. A baseline is `None` if there are too few other rows to fit it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Baselines {
    /// The mean over the rows of other models on the same corpus.
    pub mean: Option<f64>,
    /// The mean over the rows of other models on the same corpus with the same number of examples.
    pub shots: Option<f64>,
    /// Regression on log10 of the number of parameters over the same rows as `shots`, evaluated at the size
    /// of the hidden model.
    pub size: Option<f64>,
    /// Regression on log-probability, accuracy and output share, with the card's link function and an
    /// intercept for each corpus and for each number of examples.
    pub outside: Option<f64>,
}

/// The values of one observation that the baselines use.
struct Row<'a> {
    corpus: &'a str,
    shots: &'a str,
    log10_params: f64,
    outside: Option<[f64; 3]>,
    target: Option<f64>,
}

/// The baselines of the rows `hidden` of a table. They are fitted on the rows `others` that have a target.
/// `log10_params` contains log10 of the number of parameters for each row of the table.
///
/// # Errors
/// Errors of reading the table's columns; [`crate::Error::Calibration`] if a regression fails.
pub(super) fn baselines(
    table: &Table,
    (target, link): (&str, Link),
    log10_params: &[f64],
    others: &[usize],
    hidden: &[usize],
) -> Result<Vec<Baselines>> {
    let (corpora, shots, targets) = (table.text("corpus")?, table.text("shots")?, table.numbers(target)?);
    let outside = OUTSIDE.map(|name| table.numbers(name));
    let [logprobs, accuracies, shares] = outside;
    let (logprobs, accuracies, shares) = (logprobs?, accuracies?, shares?);
    let row = |at: usize| Row {
        corpus: corpora[at],
        shots: shots[at],
        log10_params: log10_params[at],
        outside: logprobs[at]
            .zip(accuracies[at])
            .zip(shares[at])
            .map(|((logprob, accuracy), share)| [logprob, accuracy, share]),
        target: targets[at],
    };
    let known: Vec<Row> = others.iter().map(|&at| row(at)).filter(|row| row.target.is_some()).collect();
    hidden.iter().map(|&at| of_row(&row(at), &known, link)).collect()
}

fn of_row(row: &Row, known: &[Row], link: Link) -> Result<Baselines> {
    let corpus: Vec<&Row> = known.iter().filter(|other| other.corpus == row.corpus).collect();
    let alike: Vec<&Row> = corpus.iter().copied().filter(|other| other.shots == row.shots).collect();
    let values = |rows: &[&Row]| rows.iter().filter_map(|row| row.target).collect::<Vec<f64>>();
    let mean_of = |rows: &[&Row]| (!rows.is_empty()).then(|| mean(&values(rows)));
    let sizes: Vec<Vec<f64>> = alike.iter().map(|other| vec![other.log10_params]).collect();
    Ok(Baselines {
        mean: mean_of(&corpus),
        shots: mean_of(&alike),
        size: line(&sizes, &values(&alike), &[row.log10_params])?,
        outside: outside(row, known, link)?,
    })
}

fn outside(row: &Row, known: &[Row], link: Link) -> Result<Option<f64>> {
    let levels = |of: fn(&Row) -> String| {
        let mut levels: Vec<String> = known.iter().map(of).collect();
        levels.sort();
        levels.dedup();
        levels.into_iter().skip(1).collect::<Vec<_>>()
    };
    let (corpora, shots) = (levels(|row| row.corpus.into()), levels(|row| row.shots.into()));
    let columns = |row: &Row| {
        let is = |level: &String, own: &str| f64::from(u8::from(level == own));
        let of_corpus = corpora.iter().map(|level| is(level, row.corpus));
        let of_shots = shots.iter().map(|level| is(level, row.shots));
        let outside = row.outside?;
        Some(outside.into_iter().chain(of_corpus).chain(of_shots).collect::<Vec<f64>>())
    };
    let Some(at) = columns(row) else { return Ok(None) };
    let complete = known.iter().filter_map(|row| Some((columns(row)?, link.apply(row.target?))));
    let (x, y): (Vec<Vec<f64>>, Vec<f64>) = complete.unzip();
    Ok(line(&x, &y, &at)?.map(|eta| link.invert(eta, 0.0)))
}

/// Least-squares prediction at one point. `None` if a column is constant, or if the number of rows is at most
/// the number of coefficients.
fn line(x: &[Vec<f64>], y: &[f64], at: &[f64]) -> Result<Option<f64>> {
    let varies = |column: usize| x.iter().any(|row| (row[column] - x[0][column]).abs() > 1e-9);
    if x.len() < at.len() + 2 || !(0..at.len()).all(varies) {
        return Ok(None);
    }
    let columns = Array2::from_shape_fn((x.len(), at.len()), |(i, j)| x[i][j]);
    least_squares_at(&columns, y, at).map(Some)
}
