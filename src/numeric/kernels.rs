//! Computes matrix products on plain slices with the `gemm` crate, and the exponential function for
//! vectorised loops.
//!
//! This is the only file that may use `unsafe`, and only to pass slices with checked lengths to
//! [`gemm::gemm`]. `gemm` and `pulp` choose the instruction set at run time, so no build flag is needed. All
//! functions run on the calling thread and in a fixed order, so results do not depend on the number of
//! threads. Callers add parallelism.
//!
//! A wrong slice length is a bug of the caller and causes a panic. User input is checked before it reaches
//! these functions.
#![expect(unsafe_code, reason = "gemm takes raw pointers; the slices behind them are checked first")]

use pulp::NullaryFnOnce;

/// Number of partial sums of a dot product: the number of `f32` values in an AVX-512 register.
const LANES: usize = 16;

/// `C = A B^T` for row-major slices.
///
/// # Shapes
/// `a` is `(m, k)`, `b` is `(n, k)`, `c` is `(m, n)` and is overwritten.
pub fn matmul_t(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    product(m, n, k, (a, k), Rows(b, k), c, false);
}

/// `C = C + A B^T` for row-major slices.
///
/// # Shapes
/// `a` is `(m, k)`, `b` is `(n, k)`, `c` is `(m, n)`.
pub fn add_matmul_t(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    product(m, n, k, (a, k), Rows(b, k), c, true);
}

/// `C = A B` for row-major slices; faster than [`matmul_t`] if the same `b` is used in many products.
///
/// # Shapes
/// `a` is `(m, k)`, `b` is `(k, n)`, `c` is `(m, n)` and is overwritten.
pub fn matmul(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    product(m, n, k, (a, k), Columns(b, n), c, false);
}

/// `C = A B^T` in `f64`, for operands that are column ranges of larger row-major matrices.
///
/// # Shapes
/// Row `i` of `a` is `a[i * stride ..][..k]`, for `i < m`; the same for `b` with `n` rows. `c` is `(m, n)`
/// and is overwritten.
pub fn matmul_t_f64((m, n, k): (usize, usize, usize), stride: usize, a: &[f64], b: &[f64], c: &mut [f64]) {
    product(m, n, k, (a, stride), Rows(b, stride), c, false);
}

/// The memory layout of the right operand of a product: its slice, and the distance between its rows.
#[derive(Clone, Copy)]
enum Right<'a, T> {
    /// `(n, k)`: the product uses the transpose.
    Rows(&'a [T], usize),
    /// `(k, n)`: the product uses the matrix itself.
    Columns(&'a [T], usize),
}
use Right::{Columns, Rows};

fn product<T: Scalar>(
    m: usize,
    n: usize,
    k: usize,
    (a, a_stride): (&[T], usize),
    b: Right<'_, T>,
    c: &mut [T],
    accumulate: bool,
) {
    let holds = |len: usize, rows: usize, columns: usize, stride: usize| {
        rows == 0 || columns == 0 || (stride >= columns && len >= (rows - 1) * stride + columns)
    };
    let (b, b_column_step, b_row_step) = match b {
        Rows(b, stride) => {
            assert!(holds(b.len(), n, k, stride), "b is shorter than (n, k) = ({n}, {k})");
            (b, stride, 1)
        }
        Columns(b, stride) => {
            assert!(holds(b.len(), k, n, stride), "b is shorter than (k, n) = ({k}, {n})");
            (b, 1, stride)
        }
    };
    assert!(holds(a.len(), m, k, a_stride), "a is shorter than (m, k) = ({m}, {k})");
    assert!(holds(c.len(), m, n, n), "c is shorter than (m, n) = ({m}, {n})");
    // SAFETY: the assertions above keep every index that gemm forms from these shapes and strides inside its
    // slice; `c` is borrowed mutably, so it overlaps neither operand; a slice is at most `isize::MAX`
    // bytes, so no stride wraps.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            1,
            a_stride as isize,
            b.as_ptr(),
            b_column_step as isize,
            b_row_step as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The element types of the matrices in this file.
trait Scalar: Copy + 'static {
    const ONE: Self;
}
impl Scalar for f32 {
    const ONE: f32 = 1.0;
}
impl Scalar for f64 {
    const ONE: f64 = 1.0;
}

/// The transpose of a row-major matrix.
///
/// # Shapes
/// `values` is `(rows, columns)`; the result is `(columns, rows)`.
pub fn transpose(rows: usize, columns: usize, values: &[f32]) -> Vec<f32> {
    // The rows of a tile fill one cache line, so both matrices stay in the first-level cache.
    const TILE: usize = 16;
    assert_eq!(values.len(), rows * columns, "a full matrix");
    let mut transposed = vec![0.0; values.len()];
    for row_start in (0..rows).step_by(TILE) {
        for column_start in (0..columns).step_by(TILE) {
            for column in column_start..columns.min(column_start + TILE) {
                for row in row_start..rows.min(row_start + TILE) {
                    transposed[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    transposed
}

/// `e^x` with a relative error below 2e-7. x is clamped to [-87, 88]; NaN stays NaN.
///
/// The argument is split as `x = n log 2 + r` with `|r| <= log(2)/2`. Adding and subtracting 1.5 * 2^23
/// rounds to the integer `n` and leaves it in the low bits of a float, so no conversion instruction is
/// needed. The coefficients come from `expf` in the Cephes library (Moshier).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    const LOG_2_HIGH: f32 = 355.0 / 512.0; // Exact, and its products with n are exact.
    const LOG_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LOG_2_LOW, n.mul_add(-LOG_2_HIGH, x));
    let series = 1.987_569_1e-4_f32
        .mul_add(r, 1.398_2e-3)
        .mul_add(r, 8.333_452e-3)
        .mul_add(r, 4.166_579_6e-2)
        .mul_add(r, 1.666_666_5e-1)
        .mul_add(r, 0.5);
    let mantissa = series.mul_add(r * r, r) + 1.0;
    // The low bits of the rounded sum contain n. Add the exponent bias and shift it to the exponent field,
    // which gives 2^n.
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    mantissa * f32::from_bits(power)
}

/// `sum_j a_j b_j`.
///
/// # Shapes
/// `a` and `b` have the same length.
pub fn dot_f64(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "a dot product needs equal lengths");
    pulp::Arch::new().dispatch(DotF64(a, b))
}

struct DotF64<'a>(&'a [f64], &'a [f64]);

impl NullaryFnOnce for DotF64<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let (a_chunks, a_rest) = self.0.as_chunks::<LANES>();
        let (b_chunks, b_rest) = self.1.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (a, b) in a_chunks.iter().zip(b_chunks) {
            for lane in 0..LANES {
                sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        sums.iter().sum::<f64>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for i in -8600..=8700 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 4e-7, "exp({x})");
        }
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        for step in 0..=174_000 {
            let x = -86.9 + step as f32 * 1e-3;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2e-7, "exp({x}) is off by {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
        assert!(exp(f32::NAN).is_nan());
    }

    /// Irregular values in [-1, 1].
    fn values(len: usize) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * 1.7).sin()).collect()
    }

    #[test]
    fn products_agree_with_the_sum_over_the_inner_index() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 33, 9), (130, 70, 65)] {
            let (a, b) = (values(m * k), values(n * k));
            let mut c = vec![f32::NAN; m * n];
            matmul_t(m, n, k, &a, &b, &mut c);
            let mut same = vec![f32::NAN; m * n];
            matmul(m, n, k, &a, &transpose(n, k, &b), &mut same);
            for i in 0..m {
                for j in 0..n {
                    let sum: f32 = (0..k).map(|l| a[i * k + l] * b[j * k + l]).sum();
                    assert!((c[i * n + j] - sum).abs() < 1e-4, "{m} {n} {k}");
                    assert!((same[i * n + j] - sum).abs() < 1e-4, "{m} {n} {k}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "c is shorter")]
    fn a_product_refuses_a_result_that_is_too_short() {
        matmul_t(2, 2, 1, &[1.0; 2], &[1.0; 2], &mut [0.0; 3]);
    }
}
