//! Implements the encoder of a separable critic, its gradient and the AdamW optimiser. The encoder is a small
//! network with a parallel linear path:
//!
//! ```text
//! e(x) = S x + W_3 silu(W_2 silu(W_1 x + b_1) + b_2) + b_3
//! ```
//!
//! [`super::network`] uses the layers of candle. This file uses plain slices and the matrix products of
//! [`kernels`] instead, so that the results of `ensemble` and `infonce` do not depend on the number of
//! threads. Candle sums in a different order, so its layers would change the results of these two estimators.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::numeric::kernels;
use crate::numeric::kernels::exp;

/// The layers of one encoder. All parameters are trained.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    input: usize,
    hidden: usize,
    output: usize,
    /// `S`, `W_1`, `b_1`, `W_2`, `b_2`, `W_3`, `b_3`. Matrices are `(out, in)`, row-major.
    pub(crate) parameters: [Vec<f32>; 7],
}

/// Values of the forward pass that the backward pass needs.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    x: Vec<f32>,
    before: [Vec<f32>; 2],
    after: [Vec<f32>; 2],
    /// The output, `(rows, output)`.
    pub(crate) out: Vec<f32>,
}

impl Encoder {
    /// Draws the weights uniformly within `1 / sqrt(fan in)`, and the weights of the last layer within .3
    /// times this limit. `linear` is the initial linear path, `(output, input)`.
    pub(crate) fn new(
        input: usize,
        hidden: usize,
        output: usize,
        linear: Vec<f32>,
        generator: &mut ChaCha8Rng,
    ) -> Self {
        let mut uniform = |fan_in: usize, len: usize, size: f32| -> Vec<f32> {
            let most = size / (fan_in as f32).sqrt();
            (0..len).map(|_| generator.random_range(-most..most)).collect()
        };
        let parameters = [
            linear,
            uniform(input, hidden * input, 1.0),
            uniform(input, hidden, 1.0),
            uniform(hidden, hidden * hidden, 1.0),
            uniform(hidden, hidden, 1.0),
            uniform(hidden, output * hidden, 0.3),
            vec![0.0; output],
        ];
        Self { input, hidden, output, parameters }
    }

    /// Evaluates the encoder and keeps the intermediate values in `trace`.
    ///
    /// # Shapes
    /// `x` is `(rows, input)`.
    pub(crate) fn forward(&self, x: Vec<f32>, trace: &mut Trace) {
        let rows = x.len() / self.input;
        let [skip, w1, b1, w2, b2, w3, b3] = &self.parameters;
        trace.x = x;
        let mut from = &trace.x;
        let mut width = self.input;
        for (layer, (w, b)) in [(w1, b1), (w2, b2)].into_iter().enumerate() {
            let before = &mut trace.before[layer];
            before.resize(rows * self.hidden, 0.0);
            kernels::matmul_t(rows, self.hidden, width, from, w, before);
            add_bias(before, b);
            let after = &mut trace.after[layer];
            after.resize(rows * self.hidden, 0.0);
            pulp::Arch::new().dispatch(Silu { x: before, out: after });
            (from, width) = (&trace.after[layer], self.hidden);
        }
        trace.out.resize(rows * self.output, 0.0);
        kernels::matmul_t(rows, self.output, self.hidden, from, w3, &mut trace.out);
        kernels::add_matmul_t(rows, self.output, self.input, &trace.x, skip, &mut trace.out);
        add_bias(&mut trace.out, b3);
    }

    /// Returns the gradients of all parameters. `d_out` is the gradient of the output, `(rows, output)`.
    pub(crate) fn backward(&self, trace: &Trace, d_out: &[f32]) -> [Vec<f32>; 7] {
        let (h, o, i) = (self.hidden, self.output, self.input);
        let rows = d_out.len() / o;
        let [_, _, _, w2, _, w3, _] = &self.parameters;
        // `d^T a`, the gradient of a weight matrix.
        let outer = |d: &[f32], width: usize, a: &[f32], inner: usize| {
            let mut gradient = vec![0.0; width * inner];
            kernels::matmul(width, inner, rows, &kernels::transpose(rows, width, d), a, &mut gradient);
            gradient
        };
        let through = |d: &[f32], width: usize, w: &[f32], before: &[f32]| {
            let mut d_after = vec![0.0; rows * h];
            kernels::matmul(rows, h, width, d, w, &mut d_after);
            pulp::Arch::new().dispatch(SiluGradient { x: before, d: &mut d_after });
            d_after
        };
        let d2 = through(d_out, o, w3, &trace.before[1]);
        let d1 = through(&d2, h, w2, &trace.before[0]);
        [
            outer(d_out, o, &trace.x, i),
            outer(&d1, h, &trace.x, i),
            column_sums(&d1, h),
            outer(&d2, h, &trace.after[0], h),
            column_sums(&d2, h),
            outer(d_out, o, &trace.after[1], h),
            column_sums(d_out, o),
        ]
    }
}

fn add_bias(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
    }
}

fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}

struct Silu<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Silu<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = x / (1.0 + exp(-x));
        }
    }
}

struct SiluGradient<'a> {
    x: &'a [f32],
    d: &'a mut [f32],
}

impl pulp::NullaryFnOnce for SiluGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (d, x) in self.d.iter_mut().zip(self.x) {
            let sigmoid = 1.0 / (1.0 + exp(-x));
            *d *= sigmoid * (1.0 + x * (1.0 - sigmoid));
        }
    }
}

/// AdamW: Adam with decoupled weight decay.
///
/// # References
/// Loshchilov & Hutter, ICLR 2019.
#[derive(Debug)]
pub(crate) struct AdamW {
    moments: Vec<(Vec<f32>, Vec<f32>)>,
    step: i32,
}

impl AdamW {
    pub(crate) fn new(sizes: impl Iterator<Item = usize>) -> Self {
        Self { moments: sizes.map(|size| (vec![0.0; size], vec![0.0; size])).collect(), step: 0 }
    }

    /// Takes one optimiser step. If the joint norm of all gradients exceeds 1, they are scaled to norm 1.
    pub(crate) fn update<'p>(
        &mut self,
        parameters: impl Iterator<Item = &'p mut Vec<f32>>,
        gradients: &[&Vec<f32>],
        rate: f32,
        decay: f32,
    ) {
        let norm =
            gradients.iter().flat_map(|g| g.iter()).map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() as f32;
        let clip = if norm > 1.0 { norm.recip() } else { 1.0 };
        self.step += 1;
        let (a, b) = (1.0 - 0.9_f32.powi(self.step), 1.0 - 0.999_f32.powi(self.step));
        for ((parameter, gradient), (m, v)) in parameters.zip(gradients).zip(&mut self.moments) {
            for (((p, g), m), v) in parameter.iter_mut().zip(*gradient).zip(m).zip(v) {
                let g = g * clip;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *p -= rate * (*m / a / ((*v / b).sqrt() + 1e-8) + decay * *p);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let (input, hidden, output, rows) = (3, 5, 2, 4);
        let mut encoder =
            Encoder::new(input, hidden, output, vec![0.3, -0.2, 0.5, 0.1, 0.7, -0.4], &mut generator);
        let x: Vec<f32> = (0..rows * input).map(|k| (k as f32 * 1.3).sin()).collect();
        let weights: Vec<f32> = (0..rows * output).map(|k| (k as f32 * 0.9).cos()).collect();
        let loss = |encoder: &Encoder| {
            let mut trace = Trace::default();
            encoder.forward(x.clone(), &mut trace);
            trace.out.iter().zip(&weights).map(|(a, b)| f64::from(a * b)).sum::<f64>()
        };
        let mut trace = Trace::default();
        encoder.forward(x.clone(), &mut trace);
        let gradients = encoder.backward(&trace, &weights);
        for (layer, gradient) in gradients.iter().enumerate() {
            for at in [0, gradient.len() - 1] {
                let step = 1e-2;
                let own = encoder.parameters[layer][at];
                encoder.parameters[layer][at] = own + step;
                let above = loss(&encoder);
                encoder.parameters[layer][at] = own - step;
                let below = loss(&encoder);
                encoder.parameters[layer][at] = own;
                let slope = (above - below) / (2.0 * f64::from(step));
                assert!((slope - f64::from(gradient[at])).abs() < 2e-3, "{layer} {at}: {slope}");
            }
        }
    }
}
