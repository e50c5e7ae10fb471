//! Implements the CPU loops of the decoder on slices: norms, activations, rotary positions, attention over
//! paths. Every function runs on the calling thread. The pulp library chooses the instruction set at run
//! time (AVX-512, AVX2 or scalar), so one binary runs on every CPU.

use pulp::NullaryFnOnce;

use super::batch::Batch;
use super::buffers;
use super::spec::{Activation, Alibi, Spec};
use crate::numeric::kernels::exp;

/// Number of partial sums of a sum or dot product: the number of `f32` values in an AVX-512 register.
const LANES: usize = 16;

/// Normalises each row of `d` values: `(x - mean if centred) / sqrt(mean square + eps) * weight + bias`.
/// Takes two passes over the row, because a one-pass variance loses precision if the mean is large.
pub(super) fn norm(
    x: &[f32],
    d: usize,
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    eps: f32,
    centred: bool,
) -> Vec<f32> {
    let mut out = buffers::take(x.len());
    pulp::Arch::new().dispatch(Normalise { x, d, weight, bias, eps, centred, out: &mut out });
    out
}

// The loops are methods of structs because the compiler does not inline closures into the function that
// enables wide instructions.
struct Normalise<'a> {
    x: &'a [f32],
    d: usize,
    weight: Option<&'a [f32]>,
    bias: Option<&'a [f32]>,
    eps: f32,
    centred: bool,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let d = self.d;
        for (row, out) in self.x.chunks_exact(d).zip(self.out.chunks_exact_mut(d)) {
            let mean = if self.centred { sum(row) / d as f32 } else { 0.0 };
            for (o, x) in out.iter_mut().zip(row) {
                *o = x - mean;
            }
            let scale = 1.0 / (dot(out, out) / d as f32 + self.eps).sqrt();
            match self.weight {
                Some(weight) => {
                    for (o, w) in out.iter_mut().zip(weight) {
                        *o *= scale * w;
                    }
                }
                None => {
                    for o in out.iter_mut() {
                        *o *= scale;
                    }
                }
            }
            if let Some(bias) = self.bias {
                for (o, b) in out.iter_mut().zip(bias) {
                    *o += b;
                }
            }
        }
    }
}

/// Replaces `x` by its activation, times `up` if present.
pub(super) fn activate(activation: Activation, x: &mut [f32], up: Option<&[f32]>) {
    pulp::Arch::new().dispatch(Activate { activation, up, out: x });
}

struct Activate<'a> {
    activation: Activation,
    up: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        match self.activation {
            // (1 + tanh u) / 2 is the logistic function of 2 u.
            Activation::GeluTanh => {
                const TWO_SQRT_2_OVER_PI: f32 = 1.595_769;
                for o in self.out.iter_mut() {
                    let u = TWO_SQRT_2_OVER_PI * *o * (0.044_715 * *o).mul_add(*o, 1.0);
                    *o /= 1.0 + exp(-u);
                }
            }
            Activation::GeluErf => {
                for o in self.out.iter_mut() {
                    // x Phi(x), computed from the upper tail to avoid cancellation.
                    let tail = 0.5 * erfc(o.abs() * std::f32::consts::FRAC_1_SQRT_2);
                    *o *= if *o > 0.0 { 1.0 - tail } else { tail };
                }
            }
            Activation::Relu => {
                for o in self.out.iter_mut() {
                    // `f32::max` would replace NaN by 0, so compare.
                    *o = if *o < 0.0 { 0.0 } else { *o };
                }
            }
            Activation::SquaredRelu => {
                for o in self.out.iter_mut() {
                    *o = if *o < 0.0 { 0.0 } else { *o * *o };
                }
            }
            Activation::Silu => {
                for o in self.out.iter_mut() {
                    *o /= 1.0 + exp(-*o);
                }
            }
            Activation::ClampedSwiGlu { alpha, limit } => {
                for o in self.out.iter_mut() {
                    // `f32::min` would replace NaN by `limit`, so compare.
                    let gate = if *o > limit { limit } else { *o };
                    *o = gate / (1.0 + exp(-alpha * gate));
                }
                if let Some(up) = self.up {
                    for (o, u) in self.out.iter_mut().zip(up) {
                        *o *= u.clamp(-limit, limit) + 1.0;
                    }
                }
                return;
            }
        }
        if let Some(up) = self.up {
            for (o, u) in self.out.iter_mut().zip(up) {
                *o *= u;
            }
        }
    }
}

/// Rotates the first `2 * pairs` values of each head. Values `i` and `i + pairs` form a pair. `x` has rows of
/// `width` values; `cos` and `sin` have `pairs` values per row.
pub(super) fn rotate(
    x: &mut [f32],
    width: usize,
    head_dim: usize,
    (cos, sin): (&[f32], &[f32]),
    pairs: usize,
) {
    let angles = cos.chunks_exact(pairs).zip(sin.chunks_exact(pairs));
    for (row, (cos, sin)) in x.chunks_exact_mut(width).zip(angles) {
        for head in row.chunks_exact_mut(head_dim) {
            let (first, second) = head[..2 * pairs].split_at_mut(pairs);
            for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

/// Like [`rotate`], but values `2 i` and `2 i + 1` form a pair.
pub(super) fn rotate_interleaved(
    x: &mut [f32],
    width: usize,
    head_dim: usize,
    (cos, sin): (&[f32], &[f32]),
    pairs: usize,
) {
    let angles = cos.chunks_exact(pairs).zip(sin.chunks_exact(pairs));
    for (row, (cos, sin)) in x.chunks_exact_mut(width).zip(angles) {
        for head in row.chunks_exact_mut(head_dim) {
            for (i, pair) in head[..2 * pairs].chunks_exact_mut(2).enumerate() {
                let (a, b) = (pair[0], pair[1]);
                pair[0] = a * cos[i] - b * sin[i];
                pair[1] = b * cos[i] + a * sin[i];
            }
        }
    }
}

/// Softmax attention of each token over the last `window` tokens of its path. Queries are `(n, heads *
/// head_dim)`, keys and values `(n, kv_heads * head_dim)`. The work is proportional to the total length of
/// the paths, even if they share tokens. `sinks` has one learned score per head that enters the softmax in
/// addition to the scores of the keys.
pub(super) fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    batch: &Batch,
    spec: &Spec,
    window: Option<usize>,
    sinks: Option<&[f32]>,
) -> Vec<f32> {
    let mut out = buffers::take(q.len());
    out.fill(0.0);
    let window = window.unwrap_or(usize::MAX);
    pulp::Arch::new().dispatch(Attend { q, k, v, batch, spec, window, sinks, out: &mut out });
    out
}

struct Attend<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    batch: &'a Batch,
    spec: &'a Spec,
    window: usize,
    sinks: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (spec, hd) = (self.spec, self.spec.head_dim);
        let (width, kv_width) = (spec.n_heads * hd, spec.n_kv_heads * hd);
        let group = spec.n_heads / spec.n_kv_heads;
        let mut weights: Vec<f32> = vec![];
        for (i, (q, out)) in self.q.chunks_exact(width).zip(self.out.chunks_exact_mut(width)).enumerate() {
            let path = self.batch.path(i);
            // The position of the first token in the window.
            let start = path.len().saturating_sub(self.window);
            let path = &path[start..];
            weights.resize(path.len(), 0.0);
            for (h, (q, out)) in q.chunks_exact(hd).zip(out.chunks_exact_mut(hd)).enumerate() {
                let first = h / group * hd;
                for (w, j) in weights.iter_mut().zip(path) {
                    let at = *j as usize * kv_width + first;
                    *w = dot(q, &self.k[at..at + hd]) * spec.attention_scale;
                }
                if let Some(cap) = spec.attention_softcap {
                    for w in &mut weights {
                        // tanh u = 1 - 2 / (1 + e^(2 u))
                        *w = cap * (1.0 - 2.0 / (1.0 + exp(2.0 * *w / cap)));
                    }
                }
                match &spec.alibi {
                    // The formula of `Alibi::bias`, in a loop that the compiler can vectorise.
                    Some(Alibi { slopes, is_rounded: false }) => {
                        for (distance, w) in weights.iter_mut().rev().enumerate() {
                            *w -= slopes[h] * distance as f32;
                        }
                    }
                    Some(alibi) => {
                        let query = start + weights.len() - 1;
                        for (key, w) in weights.iter_mut().enumerate() {
                            *w += alibi.bias(h, query, start + key, spec.attention_scale);
                        }
                    }
                    None => {}
                }
                let sink = self.sinks.map_or(f32::NEG_INFINITY, |sinks| sinks[h]);
                let top = weights.iter().fold(sink, |top, w| top.max(*w));
                let mut total = if self.sinks.is_some() { exp(sink - top) } else { 0.0 };
                for w in &mut weights {
                    *w = exp(*w - top);
                    total += *w;
                }
                for w in &mut weights {
                    *w /= total;
                }
                // Handles four keys at a time, so that each element of `out` is loaded and stored once for
                // all four.
                let value = |j: u32| &self.v[j as usize * kv_width + first..][..hd];
                let ((fours, rest), (four_places, rest_places)) = (weights.as_chunks(), path.as_chunks());
                for ([a, b, c, d], places) in fours.iter().zip(four_places) {
                    let [va, vb, vc, vd] = places.map(value);
                    for ((((o, va), vb), vc), vd) in out.iter_mut().zip(va).zip(vb).zip(vc).zip(vd) {
                        *o = d.mul_add(*vd, c.mul_add(*vc, b.mul_add(*vb, a.mul_add(*va, *o))));
                    }
                }
                for (w, j) in rest.iter().zip(rest_places) {
                    for (o, v) in out.iter_mut().zip(value(*j)) {
                        *o = w.mul_add(*v, *o);
                    }
                }
            }
        }
    }
}

/// The complementary error function for `z >= 0`. Unless the result underflows, its relative error is below
/// 5e-6; most of the error comes from rounding the exponent.
///
/// # References
/// The Chebyshev fit of Press et al., "Numerical Recipes", section 6.2 (relative error of the fit: 1.2e-7).
#[inline(always)]
fn erfc(z: f32) -> f32 {
    let t = 1.0 / z.mul_add(0.5, 1.0);
    let fit = 0.170_872_77_f32
        .mul_add(t, -0.822_152_23)
        .mul_add(t, 1.488_515_9)
        .mul_add(t, -1.135_204)
        .mul_add(t, 0.278_868_07)
        .mul_add(t, -0.186_288_06)
        .mul_add(t, 0.096_784_18)
        .mul_add(t, 0.374_091_96)
        .mul_add(t, 1.000_023_7)
        .mul_add(t, -1.265_512_2);
    t * exp(z.mul_add(-z, fit))
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
    folded(lanes) + rest
}

/// Adds up all lanes by folding the array in half four times.
#[inline(always)]
fn folded(mut lanes: [f32; LANES]) -> f32 {
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
    }
    lanes[0]
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
    folded(lanes) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complement_of_the_error_function_agrees_with_its_series_in_f64() {
        for step in 0..=900 {
            let z = step as f32 / 100.0;
            let exact = statrs::function::erf::erfc(f64::from(z));
            let error = (f64::from(erfc(z)) - exact).abs();
            assert!(error <= 5e-6 * exact + 1e-37, "erfc({z}) is off by {error} of {exact}");
        }
    }
}
