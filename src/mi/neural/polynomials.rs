//! Evaluates Hermite polynomials of normal scores, in one or several columns. They are orthogonal if the
//! columns are independent and normal.
//!
//! # References
//! Lancaster 1958 (correlations of orthogonal functions).

use ndarray::{Array2, ArrayView2};

/// A basis of polynomials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Polynomials of each column separately, up to this degree.
    Each(usize),
    /// Products of polynomials of different columns, up to this total degree, for example `x_1 x_2` and
    /// `x_1 (x_2^2 - 1)`.
    Together(usize),
}

impl Basis {
    /// The factors of each polynomial of `d` columns, as `(column, degree)`. Columns of degree 0 are omitted.
    fn terms(self, d: usize) -> Vec<Vec<(usize, usize)>> {
        match self {
            Self::Each(most) => {
                (1..=most).flat_map(|k| (0..d).map(move |column| vec![(column, k)])).collect()
            }
            Self::Together(most) => {
                let mut terms: Vec<Vec<(usize, usize)>> = vec![vec![]];
                for column in 0..d {
                    let longer = |term: &Vec<(usize, usize)>| -> Vec<Vec<(usize, usize)>> {
                        let used: usize = term.iter().map(|(_, k)| k).sum();
                        (1..=most - used).map(|k| [&term[..], &[(column, k)]].concat()).collect()
                    };
                    let added: Vec<_> = terms.iter().flat_map(longer).collect();
                    terms.extend(added);
                }
                terms.split_off(1)
            }
        }
    }

    /// Number of polynomials of `d` columns.
    pub(crate) fn size(self, d: usize) -> usize {
        match self {
            Self::Each(most) => most * d,
            // The binomial coefficient (d + most choose most), minus 1 for the constant.
            Self::Together(most) => (1..=most).fold(1, |size, k| size * (d + k) / k) - 1,
        }
    }

    /// Evaluates the polynomials; each is centred and has unit variance.
    ///
    /// # Shapes
    /// `scores` is `(n, d)`; the result is `(n, size(d))`.
    pub(crate) fn of(self, scores: ArrayView2<'_, f64>) -> Array2<f64> {
        let (Self::Each(most) | Self::Together(most)) = self;
        let (n, d) = scores.dim();
        let terms = self.terms(d);
        let mut out = Array2::<f64>::zeros((n, terms.len()));
        let mut powers = vec![1.0_f64; d * (most + 1)];
        for (values, mut row) in scores.rows().into_iter().zip(out.rows_mut()) {
            for (value, powers) in values.iter().zip(powers.chunks_exact_mut(most + 1)) {
                // Clip values at 3.2, because the polynomial of degree 6 dominates all others at larger
                // values.
                let u = value.clamp(-3.2, 3.2);
                powers[1] = u;
                for k in 1..most {
                    powers[k + 1] = u * powers[k] - k as f64 * powers[k - 1];
                }
            }
            for (value, term) in row.iter_mut().zip(&terms) {
                *value = term.iter().map(|(column, k)| powers[column * (most + 1) + k]).product();
            }
        }
        for mut column in out.columns_mut() {
            let mean: f64 = column.mean().unwrap_or_default();
            let sd =
                (column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64).sqrt().max(1e-9);
            column.mapv_inplace(|value| (value - mean) / sd);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn polynomials_of_independent_normal_columns_are_uncorrelated_and_as_many_as_is_said() {
        let mut generator = stream("test", "polynomials", 1);
        let n = 40_000;
        let scores =
            Array2::from_shape_simple_fn((n, 3), || -> f64 { StandardNormal.sample(&mut generator) });
        for (basis, size) in
            [(Basis::Each(1), 3), (Basis::Each(6), 18), (Basis::Together(2), 9), (Basis::Together(3), 19)]
        {
            let values = basis.of(scores.view());
            assert_eq!((values.ncols(), basis.size(3)), (size, size), "{basis:?}");
            if basis == Basis::Each(6) {
                // Clipping at 3.2 makes polynomials of high degree slightly correlated.
                continue;
            }
            let products = values.t().dot(&values) / n as f64;
            for ((i, j), product) in products.indexed_iter() {
                let exact = if i == j { 1.0 } else { 0.0 };
                assert!((product - exact).abs() < 0.1, "{basis:?} {i} {j}: {product}");
            }
        }
        let two = Basis::Together(2).of(scores.view());
        let product = |row: usize| scores[[row, 0]] * scores[[row, 1]];
        let is_there = two.columns().into_iter().any(|column| {
            let inner = (0..n).map(|row| column[row] * product(row)).sum::<f64>() / n as f64;
            (inner.abs() - 1.0).abs() < 0.05
        });
        assert!(is_there, "the product of two columns");
    }
}
