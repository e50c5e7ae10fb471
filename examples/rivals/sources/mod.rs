//! Reads the sources of the problems. Each file reads one public repository.

mod benchpress;
mod epoch;
mod lmeval;
mod obs_scaling;
mod olmo;
mod scaling;
mod sloth;

use std::path::Path;

use surmise::Result;

use crate::frame::Frame;
use crate::problem::Problem;

/// Reads a source below the common folder and makes its problems.
type Source = fn(&Path) -> Result<Vec<Problem>>;

/// All sources with their folders. The sources of the development half come first.
pub const ALL: [(&str, Source); 7] = [
    ("scaling", scaling::problems),
    ("sloth", sloth::problems),
    ("olmo", olmo::problems),
    ("lmeval", lmeval::problems),
    ("benchpress", benchpress::problems),
    ("stitching", epoch::problems),
    ("obs", obs_scaling::problems),
];

/// Adds log tokens, FLOPs in 1e21 and log FLOPs to a table with sizes and tokens in billions.
fn with_compute(frame: Frame) -> Result<Frame> {
    let (params, tokens) = (frame.get("params_b")?.to_vec(), frame.get("tokens_b")?.to_vec());
    let flops: Vec<f64> = params.iter().zip(&tokens).map(|(n, d)| 6.0 * n * d / 1e3).collect();
    let log10 = |cells: &[f64]| cells.iter().map(|cell| cell.log10()).collect::<Vec<_>>();
    let (log_tokens, log_flops) = (log10(&tokens), log10(&flops));
    Ok(frame
        .numbers("log10_tokens", log_tokens)
        .numbers("flops_1e21", flops)
        .numbers("log10_flops", log_flops))
}

/// The columns of a table of scores that are known in enough rows: more than .35 of the fitted rows and .2 of
/// the rows to predict, with more than one value among the fitted rows. The rivals use these columns.
fn known_enough(frame: &Frame, columns: &[String], target: &str, asked: &[bool]) -> Result<Vec<String>> {
    let mut kept = vec![];
    for column in columns.iter().filter(|column| *column != target) {
        let cells = frame.get(column)?;
        let known = |wanted: bool| {
            let rows: Vec<f64> = cells
                .iter()
                .zip(asked)
                .filter(|(_, asked)| **asked == wanted)
                .map(|(cell, _)| *cell)
                .collect();
            let known: Vec<f64> = rows.iter().copied().filter(|cell| !cell.is_nan()).collect();
            (known.len() as f64 / rows.len() as f64, known)
        };
        let ((fitted, cells), (asked, _)) = (known(false), known(true));
        if fitted > 0.35 && asked > 0.2 && cells.iter().any(|cell| *cell != cells[0]) {
            kept.push(column.clone());
        }
    }
    Ok(kept)
}
