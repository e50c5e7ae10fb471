//! Defines values with jackknife replicates, from which standard errors are computed. Queries and example
//! sets are both random samples, so the replicates leave out one query, one set, or one combination of both.
//!
//! # References
//! Efron & Stein 1981 (jackknife); Cameron, Gelbach & Miller 2011 (variance with two-way clustering).

/// A value and its replicates without one query, without one example set, and without one combination of
/// both. A value without replicates has no standard error.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicated {
    /// The value over the whole design.
    pub value: f64,
    queries: Vec<f64>,
    sets: Vec<f64>,
    cells: Vec<f64>,
}

/// The sum of the observations in one cell of the design, and their number.
pub(super) type Cell = (f64, f64);

impl Replicated {
    /// A value without a standard error.
    pub(super) fn exact(value: f64) -> Self {
        Self { value, queries: vec![], sets: vec![], cells: vec![] }
    }

    /// A value with its replicates: without each query, without each set, and without each cell
    /// `(query, set)`, with the query varying slowest.
    pub(super) fn new(value: f64, queries: Vec<f64>, sets: Vec<f64>, cells: Vec<f64>) -> Self {
        Self { value, queries, sets, cells }
    }

    /// The mean of all observations, from the cells in order `(query, set)`. `None` if there are no
    /// observations.
    pub(super) fn mean_of_cells(cells: &[Cell], n_sets: usize) -> Option<Self> {
        let add = |a: Cell, b: &Cell| (a.0 + b.0, a.1 + b.1);
        let total = cells.iter().fold((0.0, 0.0), add);
        let of_query = |x: usize| cells[x * n_sets..][..n_sets].iter().fold((0.0, 0.0), add);
        let of_set = |s: usize| cells.iter().skip(s).step_by(n_sets).fold((0.0, 0.0), add);
        let without = |part: Cell| {
            let (sum, count) = (total.0 - part.0, total.1 - part.1);
            if count > 0.0 { sum / count } else { total.0 / total.1 }
        };
        (total.1 > 0.0).then(|| Self {
            value: total.0 / total.1,
            queries: (0..cells.len() / n_sets).map(|x| without(of_query(x))).collect(),
            sets: (0..n_sets).map(|s| without(of_set(s))).collect(),
            cells: cells.iter().map(|cell| without(*cell)).collect(),
        })
    }

    /// Applies a function to the value and to every replicate.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let all = |values: &[f64]| values.iter().map(|value| f(*value)).collect();
        Self {
            value: f(self.value),
            queries: all(&self.queries),
            sets: all(&self.sets),
            cells: all(&self.cells),
        }
    }

    /// Combines two values of the same design, replicate by replicate, so that the standard error of a
    /// difference includes the correlation of the two values. If either value has no replicates, the result
    /// has no replicates.
    #[must_use]
    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let all = |a: &[f64], b: &[f64]| -> Vec<f64> {
            if a.len() == b.len() { a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect() } else { vec![] }
        };
        Self {
            value: f(self.value, other.value),
            queries: all(&self.queries, &other.queries),
            sets: all(&self.sets, &other.sets),
            cells: all(&self.cells, &other.cells),
        }
    }

    /// The mean of values of the same design; `None` if there are no values.
    pub fn mean<'a>(values: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut n = 0.0;
        let sum = values.into_iter().inspect(|_| n += 1.0).fold(None, |sum: Option<Self>, value| {
            Some(sum.map_or_else(|| value.clone(), |sum| sum.zip(value, |a, b| a + b)))
        });
        sum.map(|sum| sum.map(|value| value / n))
    }

    /// The standard error, `sqrt(V_X + V_S - V_XS)`; `None` without replicates.
    ///
    /// `V_X`, `V_S` and `V_XS` are the jackknife variances over queries, sets and cells. `V_X + V_S - V_XS`
    /// can be negative by chance if neither queries nor sets have much effect. In that case, the largest of
    /// the three variances is used.
    pub fn stderr(&self) -> Option<f64> {
        let [x, s, xs] = [&self.queries, &self.sets, &self.cells].map(|values| variance(values));
        (!self.cells.is_empty()).then(|| {
            let both = x + s - xs;
            if both > 0.0 { both.sqrt() } else { x.max(s).max(xs).sqrt() }
        })
    }
}

/// The jackknife variance, `(n - 1) / n sum_i (v_i - mean)^2`.
fn variance(replicates: &[f64]) -> f64 {
    let n = replicates.len() as f64;
    let mean = replicates.iter().sum::<f64>() / n;
    (n - 1.0) / n * replicates.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four queries by three sets, one observation each.
    fn cells(value: impl Fn(usize, usize) -> f64) -> Vec<Cell> {
        (0..12).map(|i| (value(i / 3, i % 3), 1.0)).collect()
    }

    #[test]
    fn an_effect_of_queries_alone_has_the_standard_error_of_a_mean_over_queries() {
        let mean = Replicated::mean_of_cells(&cells(|x, _| [1.0, 2.0, 3.0, 6.0][x]), 3).unwrap();
        assert_eq!(mean.value, 3.0);
        // Queries: the variance (4 + 1 + 0 + 9) / 3, divided by 4 queries. Cells: the same effect in 12
        // observations, 3 * 14 / 11 / 12. Sets: no effect, so the variance is 0.
        let exact: f64 = 14.0 / 3.0 / 4.0 - 3.0 * 14.0 / 11.0 / 12.0;
        assert!((mean.stderr().unwrap() - exact.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn differences_are_paired_and_constants_have_no_error() {
        let one = Replicated::mean_of_cells(&cells(|x, s| (x * x + 2 * s) as f64), 3).unwrap();
        let other = one.map(|value| value + 5.0);
        let difference = other.zip(&one, |a, b| a - b);
        assert!((difference.value - 5.0).abs() < 1e-12 && difference.stderr().unwrap() < 1e-7);
        assert_eq!(Replicated::exact(2.0).stderr(), None);
        assert_eq!(Replicated::mean([&one, &Replicated::exact(0.0)]).unwrap().stderr(), None);
        assert_eq!(Replicated::mean([&one, &one]).unwrap(), one);
        assert_eq!(Replicated::mean_of_cells(&[(0.0, 0.0); 4], 2), None);
    }
}
