//! Sums exponentials over a row, once with the noise added and once with it subtracted. This is the innermost
//! loop of `channel`.
//!
//! The code works on chunks of [`LANES`] values. `pulp` compiles the code for each instruction set and
//! selects the instruction set at run time, so no build flag is needed. The order of summation is the same
//! for all instruction sets.

use crate::numeric::kernels::exp;

/// Number of values in a chunk, which fills one AVX-512 register of `f32` or two AVX2 registers.
const LANES: usize = 16;

/// Converts inner products to negative half squared distances, in place:
/// `g_j <- min(g_j - half_norms_j - own_half_norm, 0) = -|y_i - y_j|^2 / 2`.
///
/// The minimum removes rounding errors, which can make the squared distance of nearly equal rows negative.
///
/// # Shapes
/// `g` and `half_norms` have the same length.
pub(crate) fn to_distances(g: &mut [f32], half_norms: &[f32], own_half_norm: f32) {
    assert_eq!(g.len(), half_norms.len(), "one norm for each row");
    for (g, half_norm) in g.iter_mut().zip(half_norms) {
        let value = *g - half_norm - own_half_norm;
        *g = if value < 0.0 { value } else { 0.0 };
    }
}

/// Subtracts `own` from every value of a row, in place.
pub(crate) fn subtract(row: &mut [f32], own: f32) {
    row.iter_mut().for_each(|value| *value -= own);
}

/// `log sum_j w_j exp(p_j * a + s * q_j * c)` for the two signs `s = +1, -1`.
///
/// Elements with `p_j = -inf` add nothing; if all elements are `-inf`, the result is `-inf`. The largest
/// exponent is subtracted first, so the sum does not underflow for any `p`. The [`LANES`] partial sums are in
/// `f32`; the relative error is about 1e-6.
///
/// # Shapes
/// `p`, `q` and `w` have the same length; `scales` is `(a, c)`.
pub(crate) fn pair(p: &[f32], q: &[f32], w: &[f32], scales: (f32, f32)) -> [f64; 2] {
    assert!(p.len() == q.len() && p.len() == w.len(), "p, q and w need equal lengths");
    pulp::Arch::new().dispatch(LogSumExp { p, q, w, scales })
}

struct LogSumExp<'a> {
    p: &'a [f32],
    q: &'a [f32],
    w: &'a [f32],
    scales: (f32, f32),
}

impl pulp::NullaryFnOnce for LogSumExp<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn call(self) -> [f64; 2] {
        let Self { p, q, w, scales: (a, c) } = self;
        let (p_chunks, p_rest) = p.as_chunks::<LANES>();
        let (q_chunks, q_rest) = q.as_chunks::<LANES>();
        let (w_chunks, w_rest) = w.as_chunks::<LANES>();
        // Pad the tail to a full chunk. Padding of p = -inf and w = 0 adds nothing to the sum.
        let p_tail = padded(p_rest, f32::NEG_INFINITY);
        let q_tail = padded(q_rest, 0.0);
        let w_tail = padded(w_rest, 0.0);

        let mut most = [[f32::NEG_INFINITY; LANES]; 2];
        for (p, q) in p_chunks.iter().zip(q_chunks).chain(std::iter::once((&p_tail, &q_tail))) {
            for lane in 0..LANES {
                let noise = q[lane] * c;
                let plus = p[lane].mul_add(a, noise);
                let minus = p[lane].mul_add(a, -noise);
                most[0][lane] = larger(plus, most[0][lane]);
                most[1][lane] = larger(minus, most[1][lane]);
            }
        }
        let shift = most.map(|lanes| lanes.into_iter().fold(f32::NEG_INFINITY, larger));
        // If all exponents are -inf, the shift is -inf, and -inf minus -inf would be NaN. Use a finite shift
        // in that case.
        let finite = shift.map(|shift| if shift > f32::NEG_INFINITY { shift } else { 0.0 });

        let mut sums = [[0.0_f32; LANES]; 2];
        for ((p, q), w) in
            p_chunks.iter().zip(q_chunks).zip(w_chunks).chain(std::iter::once(((&p_tail, &q_tail), &w_tail)))
        {
            for lane in 0..LANES {
                let noise = q[lane] * c;
                let plus = p[lane].mul_add(a, noise) - finite[0];
                let minus = p[lane].mul_add(a, -noise) - finite[1];
                sums[0][lane] = w[lane].mul_add(exp(plus), sums[0][lane]);
                sums[1][lane] = w[lane].mul_add(exp(minus), sums[1][lane]);
            }
        }
        let log = |sign: usize| {
            let sum: f64 = sums[sign].iter().map(|&lane| f64::from(lane)).sum();
            // If the shift is -inf, the result is -inf, because the sum is positive or zero.
            f64::from(shift[sign]) + sum.ln()
        };
        [log(0), log(1)]
    }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    // This comparison compiles to one instruction. `f32::max` also handles NaN and needs three instructions.
    if a > b { a } else { b }
}

#[inline(always)]
fn padded(rest: &[f32], with: f32) -> [f32; LANES] {
    let mut lanes = [with; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Irregular values in [-1, 1].
    fn values(len: usize) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * 1.7).sin()).collect()
    }

    #[test]
    fn log_sum_exp_agrees_with_f64_at_every_length_and_magnitude() {
        for len in [1, 2, 15, 16, 17, 40] {
            for offset in [0.0, -500.0, -1e4] {
                let p: Vec<f32> = values(len).iter().map(|v| v - 1.0 + offset).collect();
                let q: Vec<f32> = values(2 * len)[len..].to_vec();
                let w: Vec<f32> = (0..len).map(|i| (i % 3 + 1) as f32).collect();
                let found = pair(&p, &q, &w, (2.0, 3.0));
                for (found, sign) in found.into_iter().zip([1.0, -1.0]) {
                    // Compute the sum relative to the offset, so that the reference does not underflow.
                    let sum: f64 = (0..len)
                        .map(|j| {
                            let p = f64::from(p[j]) - f64::from(offset);
                            f64::from(w[j]) * (2.0 * p + sign * 3.0 * f64::from(q[j])).exp()
                        })
                        .sum();
                    let exact = sum.ln() + 2.0 * f64::from(offset);
                    // In `f32`, a value near 2e4 has a unit in the last place of .002.
                    let tolerance = 1e-6 + 3e-7 * exact.abs();
                    assert!((found - exact).abs() < tolerance, "{len} {offset}: {found} {exact}");
                }
            }
        }
    }

    #[test]
    fn log_sum_exp_leaves_out_what_is_at_minus_infinity() {
        let out = f32::NEG_INFINITY;
        let none = pair(&[out, out], &[1.0, 2.0], &[1.0; 2], (1.0, 1.0));
        assert_eq!(none, [f64::NEG_INFINITY; 2]);
        let one = pair(&[out, -300.0], &[90.0, 0.0], &[5.0, 1.0], (1.0, 1.0));
        assert_eq!(one, [-300.0; 2]);
    }
}
