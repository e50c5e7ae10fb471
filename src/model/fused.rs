//! The decoder's own loops, on slices: norms, activations, rotary positions, attention over paths. Every function runs on the thread
//! that calls it; the instruction set is chosen at run time by pulp (AVX-512, AVX2 or plain), so one binary runs everywhere.

use pulp::NullaryFnOnce;

use super::batch::Batch;
use super::kernels::exp;
use super::spec::{Activation, Spec};

/// Sums are kept in this many lanes, the width of an AVX-512 register.
const LANES: usize = 16;

/// Normalises each row: `(x - mean if centred) / sqrt(mean square + eps) * weight + bias`. Two passes over the row, so that a large
/// mean does not cancel the variance.
pub(super) fn norm(x: &[f32], weight: &[f32], bias: Option<&[f32]>, eps: f32, centred: bool) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    pulp::Arch::new().dispatch(Normalise { x, weight, bias, eps, centred, out: &mut out });
    out
}

// Loops stand in structs: the body of a closure is not inlined into the function that has the wide instructions.
struct Normalise<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    eps: f32,
    centred: bool,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let d = self.weight.len();
        for (row, out) in self.x.chunks_exact(d).zip(self.out.chunks_exact_mut(d)) {
            let mean = if self.centred { sum(row) / d as f32 } else { 0.0 };
            for (o, x) in out.iter_mut().zip(row) {
                *o = x - mean;
            }
            let scale = 1.0 / (dot(out, out) / d as f32 + self.eps).sqrt();
            for (o, w) in out.iter_mut().zip(self.weight) {
                *o *= scale * w;
            }
            if let Some(bias) = self.bias {
                for (o, b) in out.iter_mut().zip(bias) {
                    *o += b;
                }
            }
        }
    }
}

/// The activation of `x`, times `up` where there is one.
pub(super) fn activate(activation: Activation, x: &[f32], up: Option<&[f32]>) -> Vec<f32> {
    let mut out = x.to_vec();
    pulp::Arch::new().dispatch(Activate { activation, up, out: &mut out });
    out
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
            Activation::Silu => {
                for o in self.out.iter_mut() {
                    *o /= 1.0 + exp(-*o);
                }
            }
        }
        if let Some(up) = self.up {
            for (o, u) in self.out.iter_mut().zip(up) {
                *o *= u;
            }
        }
    }
}

/// Rotates the halves of each head of rows of `width` values by angles given as `half` cosines and sines per row.
pub(super) fn rotate(x: &[f32], width: usize, cos: &[f32], sin: &[f32], half: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
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
    out
}

/// Softmax attention of each token over the tokens of its path. Queries are `(n, heads * head_dim)`, keys and values
/// `(n, kv_heads * head_dim)`; the work is proportional to the paths, whatever they share.
pub(super) fn attention(q: &[f32], k: &[f32], v: &[f32], batch: &Batch, spec: &Spec) -> Vec<f32> {
    let mut out = vec![0.0; q.len()];
    pulp::Arch::new().dispatch(Attend { q, k, v, batch, spec, out: &mut out });
    out
}

struct Attend<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    batch: &'a Batch,
    spec: &'a Spec,
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
            weights.resize(path.len(), 0.0);
            for (h, (q, out)) in q.chunks_exact(hd).zip(out.chunks_exact_mut(hd)).enumerate() {
                let first = h / group * hd;
                let mut top = f32::NEG_INFINITY;
                for (w, j) in weights.iter_mut().zip(path) {
                    let at = *j as usize * kv_width + first;
                    *w = dot(q, &self.k[at..at + hd]) * spec.attention_scale;
                    top = top.max(*w);
                }
                let mut total = 0.0;
                for w in &mut weights {
                    *w = exp(*w - top);
                    total += *w;
                }
                for (w, j) in weights.iter().zip(path) {
                    let (w, at) = (w / total, *j as usize * kv_width + first);
                    for (o, v) in out.iter_mut().zip(&self.v[at..at + hd]) {
                        *o = w.mul_add(*v, *o);
                    }
                }
            }
        }
    }
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
