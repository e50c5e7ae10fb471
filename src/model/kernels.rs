//! The loops where the time goes, on slices: matrix products by gemm, norms, activations, rotary positions and attention over paths.
//! Every function runs on the thread that calls it; parallelism is the caller's, over batches or row blocks. The lanes are chosen at run
//! time by pulp (AVX-512, AVX2 or plain), so one binary runs everywhere. This is the one module that may hold unsafe code.
#![expect(unsafe_code, reason = "gemm takes raw pointers; lengths are checked right before the call")]

use super::batch::Batch;
use super::spec::{Activation, Spec};

/// Sums are kept in this many lanes, the width of an AVX-512 register.
const LANES: usize = 16;

/// Row-major `C (m, n) = A (m, k) B (n, k)^T`, added to what `C` holds if `accumulate`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn matmul_t(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32], accumulate: bool) {
    assert!(a.len() >= m * k && b.len() >= n * k && c.len() >= m * n, "a slice is shorter than its shape");
    // SAFETY: the three slices hold at least m*k, n*k and m*n elements, and the strides below stay inside them.
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
            k as isize,
            b.as_ptr(),
            k as isize,
            1,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// `exp(x)` to about 2e-7 relative for x in [-87, 88] (clamped there): `2^n` times a polynomial on `|r| <= ln 2 / 2`. The
/// integer is rounded by adding 1.5 * 2^23, which vectorises where a saturating cast does not.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    // ln 2 in two parts, the first exact in few bits (Cody and Waite).
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let p = 1.0 / 720.0;
    let p = r.mul_add(p, 1.0 / 120.0);
    let p = r.mul_add(p, 1.0 / 24.0);
    let p = r.mul_add(p, 1.0 / 6.0);
    let p = r.mul_add(p, 0.5);
    let p = r.mul_add(p, 1.0);
    let p = r.mul_add(p, 1.0);
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// Normalises each row: `(x - mean if centred) / sqrt(mean square + eps) * weight + bias`. Two passes over the row, so that a large
/// mean does not cancel the variance.
pub(super) fn norm(x: &[f32], weight: &[f32], bias: Option<&[f32]>, eps: f32, centred: bool) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let d = weight.len();
    pulp::Arch::new().dispatch(|| {
        for (row, out) in x.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
            let mean = if centred { sum(row) / d as f32 } else { 0.0 };
            for (o, x) in out.iter_mut().zip(row) {
                *o = x - mean;
            }
            let scale = 1.0 / (dot(out, out) / d as f32 + eps).sqrt();
            for (o, w) in out.iter_mut().zip(weight) {
                *o *= scale * w;
            }
            if let Some(bias) = bias {
                for (o, b) in out.iter_mut().zip(bias) {
                    *o += b;
                }
            }
        }
    });
    out
}

/// The activation of `x`, times `up` where there is one.
pub(super) fn activate(activation: Activation, x: &[f32], up: Option<&[f32]>) -> Vec<f32> {
    let mut out = x.to_vec();
    pulp::Arch::new().dispatch(|| {
        match activation {
            // (1 + tanh u) / 2 is the logistic function of 2 u.
            Activation::GeluTanh => {
                const TWO_SQRT_2_OVER_PI: f32 = 1.595_769_1;
                for o in &mut out {
                    let u = TWO_SQRT_2_OVER_PI * *o * (0.044_715 * *o).mul_add(*o, 1.0);
                    *o /= 1.0 + exp(-u);
                }
            }
            Activation::Silu => {
                for o in &mut out {
                    *o /= 1.0 + exp(-*o);
                }
            }
        }
        if let Some(up) = up {
            for (o, u) in out.iter_mut().zip(up) {
                *o *= u;
            }
        }
    });
    out
}

/// Rotates the halves of each head of rows of `width` values by angles given as `half` cosines and sines per row.
pub(super) fn rotate(x: &[f32], width: usize, cos: &[f32], sin: &[f32], half: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    pulp::Arch::new().dispatch(|| {
        let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
        for ((row, out), (cos, sin)) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(angles) {
            for (head, out) in row.chunks_exact(2 * half).zip(out.chunks_exact_mut(2 * half)) {
                let ((a, b), (first, second)) = (head.split_at(half), out.split_at_mut(half));
                for i in 0..half {
                    first[i] = a[i] * cos[i] - b[i] * sin[i];
                    second[i] = b[i] * cos[i] + a[i] * sin[i];
                }
            }
        }
    });
    out
}

/// Softmax attention of each token over the tokens of its path. Queries are `(n, heads * head_dim)`, keys and values
/// `(n, kv_heads * head_dim)`; the work is proportional to the paths, whatever they share.
pub(super) fn attention(q: &[f32], k: &[f32], v: &[f32], batch: &Batch, spec: &Spec) -> Vec<f32> {
    let (hd, width, kv_width) = (spec.head_dim, spec.n_heads * spec.head_dim, spec.n_kv_heads * spec.head_dim);
    let group = spec.n_heads / spec.n_kv_heads;
    let mut out = vec![0.0; q.len()];
    let mut weights: Vec<f32> = vec![];
    pulp::Arch::new().dispatch(|| {
        for (i, (q, out)) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
            let path = batch.path(i);
            for (h, (q, out)) in q.chunks_exact(hd).zip(out.chunks_exact_mut(hd)).enumerate() {
                let at = |j: u32| j as usize * kv_width + h / group * hd;
                weights.clear();
                weights.extend(path.iter().map(|j| dot(q, &k[at(*j)..at(*j) + hd]) * spec.attention_scale));
                let top = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut total = 0.0;
                for w in &mut weights {
                    *w = exp(*w - top);
                    total += *w;
                }
                for (j, w) in path.iter().zip(&weights) {
                    let w = w / total;
                    for (o, v) in out.iter_mut().zip(&v[at(*j)..at(*j) + hd]) {
                        *o = w.mul_add(*v, *o);
                    }
                }
            }
        }
    });
    out
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for l in 0..LANES {
            lanes[l] += chunk[l];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (ca, cb) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut rest = 0.0f32;
    for (x, y) in ca.remainder().iter().zip(cb.remainder()) {
        rest = x.mul_add(*y, rest);
    }
    for (x, y) in ca.zip(cb) {
        for l in 0..LANES {
            lanes[l] = x[l].mul_add(y[l], lanes[l]);
        }
    }
    lanes.iter().sum::<f32>() + rest
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
    fn matmul_t_multiplies_rows_by_rows() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        let mut c = [10.0; 4];
        matmul_t(2, 2, 3, &a, &b, &mut c, true);
        assert_eq!(c, [14.0, 12.0, 20.0, 15.0]);
        matmul_t(2, 2, 3, &a, &b, &mut c, false);
        assert_eq!(c, [4.0, 2.0, 10.0, 5.0]);
    }
}
