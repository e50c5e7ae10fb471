//! Finds features that were computed from the target and other columns: averages, sums, weighted means, and
//! differences.

use super::numeric_columns::{NumericColumn, is_named_as_mean};
use super::relations::{LEAST_ROWS, Relations, Residuals, spread};
use crate::numeric::statistics::{mean, pearson};

/// With at most this many features, every feature is tested.
const FEW: usize = 150;
/// With at most this many columns, the weights of means and sums are fitted.
const MANY: usize = 400;
/// Number of features that are tested if there are more than [`FEW`].
const MOST_SUSPECTS: usize = 12;
/// Words that mark a difference in a column's name.
const DIFFERENCES: [&str; 9] =
    ["delta", "diff", "difference", "gain", "gap", "improvement", "change", "drop", "minus"];

/// A column that was computed from the target and other columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Composite {
    /// Index of the column.
    pub at: usize,
    /// How it was computed, in words: `the average of gsm and mmlu`.
    pub what: String,
}

/// The columns among `suspects` that were computed from column `target` and other columns. The columns
/// contain only rows whose target is known.
pub(super) fn composites(columns: &[NumericColumn], target: usize, suspects: &[usize]) -> Vec<Composite> {
    let mut search = Search { relations: Relations { columns, target }, out: vec![false; columns.len()] };
    if columns[target].values.len() < LEAST_ROWS {
        return vec![];
    }
    let suspects = search.suspects(suspects);
    let mut found: Vec<Composite> = vec![];
    // A composite among the other columns may hide another composite, so the search is repeated without the
    // composites found.
    loop {
        let fresh: Vec<Composite> = suspects
            .iter()
            .filter(|&&at| !search.out[at])
            .filter_map(|&at| Some(Composite { at, what: search.relation(at)? }))
            .collect();
        if fresh.is_empty() {
            break;
        }
        fresh.iter().for_each(|composite| search.out[composite.at] = true);
        found.extend(fresh);
    }
    while let Some(composite) = search.difference(&suspects) {
        search.out[composite.at] = true;
        found.push(composite);
    }
    found
}

struct Search<'a> {
    relations: Relations<'a>,
    out: Vec<bool>,
}

impl Search<'_> {
    /// The columns to test. If there are more than [`FEW`], these are the columns that are named like means
    /// or correlate most with the row means.
    fn suspects(&self, asked: &[usize]) -> Vec<usize> {
        if asked.len() <= FEW {
            return asked.to_vec();
        }
        let rows = self.relations.columns[self.relations.target].values.len();
        let of_row = |i: usize| {
            let known: Vec<f64> = self
                .relations
                .columns
                .iter()
                .map(|column| column.values[i])
                .filter(|value| value.is_finite())
                .collect();
            if known.is_empty() { 0.0 } else { mean(&known) }
        };
        let means: Vec<f64> = (0..rows).map(of_row).collect();
        let likeness = |at: &usize| {
            let column = &self.relations.columns[*at];
            let known = (0..rows).filter(|&i| column.values[i].is_finite());
            let (own, others): (Vec<f64>, Vec<f64>) = known.map(|i| (column.values[i], means[i])).unzip();
            f64::from(u8::from(is_named_as_mean(&column.name))) + pearson(&own, &others).abs()
        };
        let mut order: Vec<(f64, usize)> = asked.iter().map(|at| (likeness(at), *at)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.into_iter().take(MOST_SUSPECTS).map(|(_, at)| at).collect()
    }

    fn parts(&self, of: usize) -> Vec<usize> {
        (0..self.relations.columns.len()).filter(|&at| at != of && !self.out[at]).collect()
    }

    /// How a column was computed from the target and other columns; `None` if no relation is found.
    fn relation(&self, of: usize) -> Option<String> {
        let parts = self.parts(of);
        self.relations.block(of, &parts).or_else(|| {
            (parts.len() <= MANY).then(|| {
                self.relations.weighted_mean(of, &parts).or_else(|| self.relations.sum(of, &parts))
            })?
        })
    }

    /// Finds a column that is a weighted difference of the target and another column, plus a constant.
    fn difference(&self, suspects: &[usize]) -> Option<Composite> {
        let open: Vec<usize> = suspects.iter().copied().filter(|&at| !self.out[at]).collect();
        if open.len() > FEW {
            return None;
        }
        let (columns, target) = (self.relations.columns, self.relations.target);
        let (y, choice) = (&columns[target].values, 2.0 * (open.len() as f64).log2());
        for (place, &one) in open.iter().enumerate() {
            for &other in &open[place + 1..] {
                let (a, b) = (&columns[one].values, &columns[other].values);
                let rows: Vec<usize> =
                    (0..y.len()).filter(|&i| a[i].is_finite() && b[i].is_finite()).collect();
                let rows = spread(&rows);
                let holds = |[constant, of_y, of_b]: [f64; 3]| {
                    let slack = of_y.abs() * columns[target].rounding
                        + of_b.abs() * columns[other].rounding
                        + columns[one].rounding;
                    let residual = |&i: &usize| constant + of_y * y[i] + of_b * b[i] - a[i];
                    let residuals: Vec<f64> = rows.iter().map(residual).collect();
                    let tolerances = vec![slack; rows.len()];
                    self.relations.is_evident(one, &Residuals { residuals, tolerances, fitted: 3, choice })
                };
                let Some(fitted) = plane(&rows, y, b, a).filter(|fitted| holds(*fitted)) else { continue };
                // If the column is a copy of the other column, it does not depend on the target.
                if fitted[1] == 0.0 || holds(line(&rows, b, a)) {
                    continue;
                }
                let hinted = [one, other].into_iter().find(|&at| columns[at].is_named(&DIFFERENCES));
                let is_narrow = columns[one].deviation() < columns[other].deviation();
                let at = hinted.unwrap_or(if is_narrow { one } else { other });
                let from = if at == one { other } else { one };
                let members = [target.min(from), target.max(from)];
                return Some(Composite { at, what: self.relations.words("a difference", &members) });
            }
        }
        None
    }
}

/// The least-squares line of `z` on `y`, as a plane with slope 0 in the target.
fn line(rows: &[usize], y: &[f64], z: &[f64]) -> [f64; 3] {
    let n = rows.len() as f64;
    let middle = |values: &[f64]| rows.iter().map(|&i| values[i]).sum::<f64>() / n;
    let (my, mz) = (middle(y), middle(z));
    let square: f64 = rows.iter().map(|&i| (y[i] - my).powi(2)).sum();
    let slope = rows.iter().map(|&i| (y[i] - my) * (z[i] - mz)).sum::<f64>() / square.max(f64::MIN_POSITIVE);
    [mz - slope * my, 0.0, slope]
}

/// The constant and slopes of the least-squares plane of `z` on `x` and `y`; `None` if `x` and `y` are
/// collinear or there are too few rows.
fn plane(rows: &[usize], x: &[f64], y: &[f64], z: &[f64]) -> Option<[f64; 3]> {
    let n = rows.len() as f64;
    let middle = |values: &[f64]| rows.iter().map(|&i| values[i]).sum::<f64>() / n;
    let (mx, my, mz) = (middle(x), middle(y), middle(z));
    let product =
        |a: &[f64], ma: f64, b: &[f64], mb: f64| rows.iter().map(|&i| (a[i] - ma) * (b[i] - mb)).sum::<f64>();
    let (xx, yy, xy) = (product(x, mx, x, mx), product(y, my, y, my), product(x, mx, y, my));
    let (xz, yz) = (product(x, mx, z, mz), product(y, my, z, mz));
    let determinant = xx * yy - xy * xy;
    if rows.len() < LEAST_ROWS || determinant <= 1e-9 * xx * yy {
        return None;
    }
    let (b, c) = ((xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant);
    Some([mz - b * mx - c * my, b, c])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(i: usize, j: usize) -> f64 {
        let strength = (i as f64 * 0.7).sin();
        50.0 + 20.0 * strength + 9.0 * ((i * (j + 2)) as f64 * 1.3).sin()
    }

    fn rounded(value: f64, decimals: i32) -> f64 {
        let unit = 10f64.powi(decimals);
        (value * unit).round() / unit
    }

    /// Six benchmarks, of which the fourth is the target, and one more column.
    fn table(n: usize, decimals: i32, own: impl Fn(&[f64]) -> f64) -> Vec<NumericColumn> {
        let rows: Vec<Vec<f64>> =
            (0..n).map(|i| (0..6).map(|j| rounded(score(i, j), decimals)).collect()).collect();
        let mut columns: Vec<NumericColumn> = (0..6)
            .map(|j| NumericColumn::new(format!("b{j}"), rows.iter().map(|row| row[j]).collect()))
            .collect();
        columns.push(NumericColumn::new("c".into(), rows.iter().map(|row| own(row)).collect()));
        columns
    }

    fn found(columns: &[NumericColumn]) -> Vec<String> {
        let suspects: Vec<usize> = (0..columns.len()).filter(|&at| at != 3).collect();
        composites(columns, 3, &suspects)
            .into_iter()
            .map(|c| format!("{}: {}", columns[c.at].name, c.what))
            .collect()
    }

    #[test]
    fn averages_sums_and_differences_with_the_target_are_found_however_they_are_rounded() {
        let mean_of = |row: &[f64]| row.iter().sum::<f64>() / row.len() as f64;
        for n in [12, 30, 400] {
            let all = table(n, 1, |row| rounded(mean_of(row), 2));
            assert_eq!(found(&all), ["c: the average of b0, b1, b2, b3, b4 and b5"], "{n}");
            let some = table(n, 3, |row| (row[0] + row[3] + row[5]) / 3.0);
            assert_eq!(found(&some), ["c: the average of b0, b3 and b5"], "{n}");
            let share = table(n, 2, |row| rounded(mean_of(&row[2..5]) / 100.0, 4));
            assert_eq!(found(&share), ["c: the average of b2, b3 and b4"], "{n}");
        }
        let weighted = table(40, 3, |row| rounded(0.6 * row[3] + 0.3 * row[0] + 0.1 * row[5], 3));
        assert_eq!(found(&weighted), ["c: a weighted mean of b0, b3 and b5"]);
        let affine = table(40, 3, |row| rounded(7.0 - 2.0 * row[3] - row[5], 3));
        // Column b5 is itself a weighted sum of b3 and c, so it may be reported as well.
        assert!(found(&affine).contains(&"c: a weighted sum of b3 and b5".into()));
        let gain = table(40, 3, |row| rounded(row[3] - row[1], 3));
        assert_eq!(found(&gain), ["c: a difference of b1 and b3"]);
    }

    #[test]
    fn a_mean_over_the_known_cells_is_found_and_one_without_the_target_is_none() {
        let mut columns = table(40, 2, |_| 0.0);
        for i in 0..40 {
            (0..6).filter(|j| *j != 3 && (i + 2 * j) % 4 == 0).for_each(|j| columns[j].values[i] = f64::NAN);
            let known: Vec<f64> = (0..6).map(|j| columns[j].values[i]).filter(|v| v.is_finite()).collect();
            columns[6].values[i] = mean(&known);
        }
        columns[6] = NumericColumn::new("c".into(), columns[6].values.clone());
        assert_eq!(found(&columns), ["c: the average of b0, b1, b2, b3, b4 and b5"]);
        assert!(found(&table(40, 2, |row| (row[0] + row[1] + row[5]) / 3.0)).is_empty());
        assert!(found(&table(40, 2, |row| row[0] * row[3] / 50.0)).is_empty());
        // Five rows of rounded scores are too few for evidence.
        assert!(found(&table(5, 0, |row| ((row[0] + row[3]) / 2.0).round())).is_empty());
    }

    #[test]
    fn one_average_within_another_hides_neither() {
        let mut columns = table(40, 3, |row| (row[2] + row[3]) / 2.0);
        let all = (0..40).map(|i| (0..6).map(|j| columns[j].values[i]).sum::<f64>() / 6.0).collect();
        columns.push(NumericColumn::new("d".into(), all));
        let names: Vec<String> = found(&columns).into_iter().map(|said| said[..1].into()).collect();
        assert!(names.contains(&"c".into()) && names.contains(&"d".into()) && names.len() == 2, "{names:?}");
    }
}
