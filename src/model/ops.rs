//! Implements the operations of a decoder in two forms whose results differ only by rounding errors.
//! `Composed` uses candle's tensor operations: it is differentiable and runs on any device. `Fused` runs the
//! loops of `fused.rs` on the CPU, one thread per batch; it is several times faster and has no gradient.

use candle_core::{Device, Result, Tensor};

use super::attention_form::AttentionForm;
use super::batch::Batch;
use super::block_parameters::{Linear, NormWeights};
use super::buffers;
use super::fused_ops::{
    FusedActivation, FusedAttention, FusedLinear, FusedLinearOnto, FusedNorm, FusedRotate,
};
use super::spec::{Activation, Norm, Rope, Spec};

/// Which form of the operations a decoder uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ops {
    /// Fast loops on the CPU, without gradients.
    Fused,
    /// candle's own operations: any device, differentiable.
    Composed,
}

impl Ops {
    /// The form for measurements on a device.
    pub(super) fn of(device: &Device) -> Self {
        if device.is_cpu() { Self::Fused } else { Self::Composed }
    }

    /// `x W^T + b`: `(n, in) -> (n, out)`.
    pub(super) fn linear(self, x: &Tensor, map: &Linear) -> Result<Tensor> {
        match (self, &map.bias) {
            (Self::Fused, Some(bias)) => x.apply_op3_no_bwd(&map.weight, bias, &FusedLinear),
            (Self::Fused, None) => x.apply_op2_no_bwd(&map.weight, &FusedLinear),
            (Self::Composed, Some(bias)) => x.matmul(&map.weight.t()?)?.broadcast_add(bias),
            (Self::Composed, None) => x.matmul(&map.weight.t()?),
        }
    }

    /// `residual + x W^T + b`: `(n, in) -> (n, out)`. The fused form needs no intermediate array.
    pub(super) fn linear_onto(self, residual: &Tensor, x: &Tensor, map: &Linear) -> Result<Tensor> {
        match self {
            Self::Fused => x.apply_op3_no_bwd(&map.weight, residual, &FusedLinearOnto(map.bias.as_ref())),
            Self::Composed => residual + self.linear(x, map)?,
        }
    }

    /// Normalises each row of `(n, d)`.
    pub(super) fn norm(self, x: &Tensor, norm: Norm, weights: &NormWeights) -> Result<Tensor> {
        let (eps, centred) = match norm {
            Norm::Layer { eps, .. } => (eps, true),
            Norm::Rms { eps, .. } => (eps, false),
        };
        if self == Self::Fused {
            return x.apply_op1_no_bwd(&FusedNorm { eps: eps as f32, centred, weights });
        }
        let x = if centred { x.broadcast_sub(&x.mean_keepdim(1)?)? } else { x.clone() };
        let mut x = x.broadcast_div(&(x.sqr()?.mean_keepdim(1)? + eps)?.sqrt()?)?;
        if let Some(weight) = &weights.weight {
            x = x.broadcast_mul(weight)?;
        }
        weights.bias.as_ref().map_or(Ok(x.clone()), |bias| x.broadcast_add(bias))
    }

    /// Releases the memory of `x`, so that the next tensor of the same size can use it. No other tensor may
    /// share the memory.
    pub(super) fn reuse(self, x: &Tensor) -> Result<()> {
        match self {
            Self::Fused => buffers::give(x),
            Self::Composed => Ok(()),
        }
    }

    /// Applies the non-linearity of the MLP to each element of `up`. With a gate, applies it to the gate
    /// instead, and multiplies the result by `up`. May overwrite `gate` and `up`, so no other tensor may
    /// share their values.
    pub(super) fn activate(self, activation: Activation, gate: Option<Tensor>, up: Tensor) -> Result<Tensor> {
        match (self, gate) {
            (Self::Fused, None) => {
                up.inplace_op1(&FusedActivation(activation))?;
                Ok(up)
            }
            (Self::Fused, Some(gate)) => {
                gate.inplace_op2(&up, &FusedActivation(activation))?;
                buffers::give(&up)?;
                Ok(gate)
            }
            (Self::Composed, gate) => {
                let inner = gate.as_ref().unwrap_or(&up);
                let active = match activation {
                    Activation::GeluTanh => gelu_tanh(inner)?,
                    Activation::GeluErf => inner.gelu_erf()?,
                    Activation::Relu => inner.relu()?,
                    Activation::SquaredRelu => inner.relu()?.sqr()?,
                    Activation::Silu => inner.silu()?,
                    Activation::ClampedSwiGlu { alpha, limit } => {
                        let (alpha, limit) = (f64::from(alpha), f64::from(limit));
                        let gate = inner.minimum(limit)?;
                        let active = (&gate * candle_nn::ops::sigmoid(&(&gate * alpha)?)?)?;
                        return active * (up.clamp(-limit, limit)? + 1.0)?;
                    }
                };
                if gate.is_some() { active * up } else { Ok(active) }
            }
        }
    }

    /// Applies rotary positions to each head of `x`, `(n, heads * head_dim)`. May overwrite `x`, so no other
    /// tensor may share its values.
    pub(super) fn rotate(self, x: Tensor, angles: &Angles, head_dim: usize) -> Result<Tensor> {
        let Angles { cos, sin, interleaved } = angles;
        if self == Self::Fused {
            x.inplace_op3(cos, sin, &FusedRotate { head_dim, interleaved: *interleaved })?;
            return Ok(x);
        }
        let ((n, pairs), shape) = (cos.dims2()?, x.shape().clone());
        let x = x.reshape((n, (), head_dim))?;
        let (cos, sin) = (cos.unsqueeze(1)?, sin.unsqueeze(1)?);
        let turned = x.narrow(2, 0, 2 * pairs)?;
        let (a, b) = if *interleaved {
            let pair = turned.reshape((n, (), pairs, 2))?;
            (pair.narrow(3, 0, 1)?.squeeze(3)?, pair.narrow(3, 1, 1)?.squeeze(3)?)
        } else {
            (turned.narrow(2, 0, pairs)?, turned.narrow(2, pairs, pairs)?)
        };
        let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
        let turned = if *interleaved {
            Tensor::stack(&[first, second], 3)?.reshape(turned.shape())?
        } else {
            Tensor::cat(&[first, second], 2)?
        };
        let rest = head_dim - 2 * pairs;
        let whole =
            if rest == 0 { turned } else { Tensor::cat(&[turned, x.narrow(2, 2 * pairs, rest)?], 2)? };
        whole.reshape(shape)
    }

    /// Softmax attention of each token over the last `window` tokens of its path: queries `(n, heads *
    /// head_dim)`, keys and values `(n, kv_heads * head_dim)`.
    pub(super) fn attention(
        self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        batch: &Batch,
        form: AttentionForm<'_>,
    ) -> Result<Tensor> {
        if self == Self::Fused {
            return q.apply_op3_no_bwd(k, v, &FusedAttention { batch, form });
        }
        let AttentionForm { spec, window, sinks } = form;
        // Windows of equal length share one causal mask; any other batch is computed as one sequence, and its
        // mask lets each token attend only to its path.
        let (rows, t) = batch.rows.unwrap_or((1, batch.len()));
        let split = |x: &Tensor, heads: usize| {
            x.reshape((rows, t, heads, spec.head_dim))?.transpose(1, 2)?.contiguous()
        };
        let groups = spec.n_heads / spec.n_kv_heads;
        let spread = |x: Tensor| {
            if groups == 1 {
                return Ok(x);
            }
            x.unsqueeze(2)?.broadcast_as((rows, spec.n_kv_heads, groups, t, spec.head_dim))?.reshape((
                rows,
                spec.n_heads,
                t,
                spec.head_dim,
            ))
        };
        let (q, k, v) = (
            split(q, spec.n_heads)?,
            spread(split(k, spec.n_kv_heads)?)?,
            spread(split(v, spec.n_kv_heads)?)?,
        );
        let mut scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * f64::from(spec.attention_scale))?;
        if let Some(cap) = spec.attention_softcap.map(f64::from) {
            scores = ((scores / cap)?.tanh()? * cap)?;
        }
        let scores = scores.broadcast_add(&mask(batch, t, spec, window, scores.device())?)?;
        let weights = match sinks {
            None => softmax(&scores)?,
            Some(sinks) => {
                let sinks = sinks.reshape((1, spec.n_heads, 1, 1))?;
                let sinks = sinks.broadcast_as((rows, spec.n_heads, t, 1))?;
                softmax(&Tensor::cat(&[&scores, &sinks], 3)?)?.narrow(3, 0, t)?.contiguous()?
            }
        };
        weights.matmul(&v)?.transpose(1, 2)?.reshape((rows * t, spec.n_heads * spec.head_dim))
    }
}

/// Cosines and sines of the rotary angles of some positions, `(n, pairs)` each.
pub(super) struct Angles {
    cos: Tensor,
    sin: Tensor,
    interleaved: bool,
}

impl Angles {
    pub(super) fn of(positions: &[u32], rope: &Rope, device: &Device) -> Result<Self> {
        let angles: Vec<f32> =
            positions.iter().flat_map(|p| rope.inv_freq.iter().map(move |f| *p as f32 * f)).collect();
        let angles = Tensor::from_vec(angles, (positions.len(), rope.inv_freq.len()), device)?;
        let factor = f64::from(rope.attention_factor);
        Ok(Self {
            cos: (angles.cos()? * factor)?,
            sin: (angles.sin()? * factor)?,
            interleaved: rope.interleaved,
        })
    }
}

/// Computes gelu (tanh form) with the logistic function, `(1 + tanh u) / 2 = sigmoid(2 u)`. This is several
/// times faster than candle's `gelu`, which computes tanh one element at a time.
fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    let twice_u =
        (x * ((x.sqr()? * 0.044_715)? + 1.0)?)?.affine(2.0 * (2.0 / std::f64::consts::PI).sqrt(), 0.0)?;
    x * candle_nn::ops::sigmoid(&twice_u)?
}

/// Softmax over the last dimension in composed operations, because candle's fused softmax drops the gradient
/// without an error.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let last = x.rank() - 1;
    let e = x.broadcast_sub(&x.max_keepdim(last)?.detach())?.exp()?;
    e.broadcast_div(&e.sum_keepdim(last)?)
}

/// The mask to add to the scores of the first `t` tokens of a batch: minus infinity for tokens that are not
/// attended to, and the ALiBi bias (or 0) for the other tokens. Shape `(t, t)`, or `(n_heads, t, t)` with
/// ALiBi.
fn mask(batch: &Batch, t: usize, spec: &Spec, window: Option<usize>, device: &Device) -> Result<Tensor> {
    let heads = if spec.alibi.is_some() { spec.n_heads } else { 1 };
    let bias = |h: usize, query: usize, key: usize| {
        spec.alibi.as_ref().map_or(0.0, |alibi| alibi.bias(h, query, key, spec.attention_scale))
    };
    let mut mask = vec![f32::NEG_INFINITY; heads * t * t];
    for (h, mask) in mask.chunks_exact_mut((t * t).max(1)).enumerate() {
        for i in 0..t {
            let path = batch.path(i);
            let seen = path.iter().enumerate().rev().take(window.unwrap_or(usize::MAX));
            for (position, j) in seen {
                mask[i * t + *j as usize] = bias(h, path.len() - 1, position);
            }
        }
    }
    let mask = Tensor::from_vec(mask, (heads, t, t), device)?;
    if spec.alibi.is_some() { Ok(mask) } else { mask.squeeze(0) }
}
