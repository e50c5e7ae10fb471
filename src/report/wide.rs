//! Converts a depth table to a wide form for LaTeX, with one row per curve and one column per relative depth.
//! One row per block would fill pages.

use super::{Cell, Table};

/// Relative depth and name of each column.
const DEPTHS: [(f64, &str); 4] =
    [(0.25, "at_depth_1/4"), (0.5, "at_depth_1/2"), (0.75, "at_depth_3/4"), (1.0, "at_depth_1")];

/// The wide form of a table with columns `depth`, `value` and `stderr`. Consecutive rows with equal cells in
/// the columns `of`, sorted by depth, become one row. Values between blocks are interpolated linearly.
/// Standard errors are interpolated, too, which gives an upper bound of the standard error of the
/// interpolated value. Cells at depths before the first block are empty.
pub(super) fn wide_depth(table: &Table, of: &[&'static str], value: &str, stderr: &str) -> Table {
    let at = |name: &str| table.columns.iter().position(|column| *column == name).unwrap_or_default();
    let keys: Vec<usize> = of.iter().map(|name| at(name)).collect();
    let (depth, value, stderr) = (at("depth"), at(value), at(stderr));
    let key = |row: &[Cell]| -> Vec<Cell> { keys.iter().map(|&at| row[at].clone()).collect() };
    let columns: Vec<&'static str> = of.iter().copied().chain(DEPTHS.iter().map(|(_, name)| *name)).collect();
    let mut wide = Table::new(&columns);
    for curve in table.rows.chunk_by(|a, b| key(a) == key(b)) {
        let points: Vec<[Option<f64>; 3]> =
            curve.iter().map(|row| [depth, value, stderr].map(|at| row[at].number())).collect();
        let cells = DEPTHS.iter().map(|(u, _)| interpolated(&points, *u));
        wide.rows.push(key(&curve[0]).into_iter().chain(cells).collect());
    }
    wide
}

/// Interpolates value and standard error at a relative depth. A point has depth, value and standard error of
/// a block.
fn interpolated(points: &[[Option<f64>; 3]], u: f64) -> Cell {
    let known = |point: &[Option<f64>; 3]| Some((point[0]?, point[1]?, point[2]));
    let points: Vec<(f64, f64, Option<f64>)> = points.iter().filter_map(known).collect();
    let below = points.iter().rev().find(|point| point.0 <= u + 1e-9);
    let above = points.iter().find(|point| point.0 >= u - 1e-9);
    let (Some(below), Some(above)) = (below, above) else { return Cell::Missing };
    let span = above.0 - below.0;
    let weight = if span > 1e-9 { (u - below.0) / span } else { 0.0 };
    let between = |a: f64, b: f64| a + weight * (b - a);
    let stderr = below.2.zip(above.2).map(|(a, b)| between(a, b));
    Cell::with_error(between(below.1, above.1), stderr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_one_row_with_its_values_between_blocks() {
        let mut long = Table::new(&["model", "block", "depth", "share", "share_stderr"]);
        for (model, blocks) in [("a", 4), ("b", 2)] {
            for block in 1..=blocks {
                let depth = f64::from(block) / f64::from(blocks);
                let share = 0.1 * f64::from(block);
                long.rows.push(vec![
                    model.into(),
                    (block as usize).into(),
                    depth.into(),
                    share.into(),
                    0.012.into(),
                ]);
            }
        }
        let latex = wide_depth(&long, &["model"], "share", "share_stderr").latex("");
        assert!(latex.contains("a & 0.100(12) & 0.200(12) & 0.300(12) & 0.400(12) \\"), "{latex}");
        // Model b has two blocks, at the relative depths 1/2 and 1.
        assert!(latex.contains("b & {} & 0.100(12) & 0.150(12) & 0.200(12) \\"), "{latex}");
        assert!(latex.contains("S[table-format=1.3(2)]"), "{latex}");
    }
}
