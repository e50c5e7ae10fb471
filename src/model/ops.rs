//! The few operations a decoder is made of, in two forms that agree to rounding. `Composed` is written in candle's own tensor operations:
//! it is differentiable and runs on any device. `Fused` runs the loops of `fused.rs` on the CPU, one thread per
//! batch, several times faster, and has no gradient.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Device, Layout, Shape, Tensor};

use super::batch::Batch;
use super::decoder::{Linear, NormWeights};
use super::fused;
use super::kernels;
use super::spec::{Activation, Norm, Spec};

type Candle<T> = candle_core::Result<T>;

/// Which form of the operations a decoder uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ops {
    /// Fast loops on the CPU, without gradients.
    Fused,
    /// candle's own operations: any device, differentiable.
    Composed,
}

impl Ops {
    /// `x W^T + b`: `(n, in) -> (n, out)`.
    pub(super) fn linear(self, x: &Tensor, map: &Linear) -> Candle<Tensor> {
        match (self, &map.bias) {
            (Self::Fused, Some(bias)) => x.apply_op3_no_bwd(&map.weight, bias, &FusedLinear),
            (Self::Fused, None) => x.apply_op2_no_bwd(&map.weight, &FusedLinear),
            (Self::Composed, Some(bias)) => x.matmul(&map.weight.t()?)?.broadcast_add(bias),
            (Self::Composed, None) => x.matmul(&map.weight.t()?),
        }
    }

    /// `residual + x W^T + b`: `(n, in) -> (n, out)`, without an intermediate array where fused.
    pub(super) fn linear_onto(self, residual: &Tensor, x: &Tensor, map: &Linear) -> Candle<Tensor> {
        match self {
            Self::Fused => x.apply_op3_no_bwd(&map.weight, residual, &FusedLinearOnto(map.bias.as_ref())),
            Self::Composed => residual + self.linear(x, map)?,
        }
    }

    /// Normalises each row of `(n, d)`.
    pub(super) fn norm(self, x: &Tensor, norm: Norm, weights: &NormWeights) -> Candle<Tensor> {
        match (self, norm, &weights.bias) {
            (Self::Fused, Norm::Layer { eps }, Some(bias)) => {
                x.apply_op3_no_bwd(&weights.weight, bias, &FusedNorm { eps: eps as f32, centred: true })
            }
            (Self::Fused, Norm::Rms { eps }, None) => {
                x.apply_op2_no_bwd(&weights.weight, &FusedNorm { eps: eps as f32, centred: false })
            }
            (_, Norm::Layer { eps }, bias) => {
                let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
                let scaled = scale_by_rms(&centred, eps)?.broadcast_mul(&weights.weight)?;
                bias.as_ref().map_or(Ok(scaled.clone()), |bias| scaled.broadcast_add(bias))
            }
            (_, Norm::Rms { eps }, _) => scale_by_rms(x, eps)?.broadcast_mul(&weights.weight),
        }
    }

    /// The MLP's non-linearity, element by element; with `gate` it acts on the gate and multiplies `up`.
    pub(super) fn activate(self, activation: Activation, gate: Option<&Tensor>, up: &Tensor) -> Candle<Tensor> {
        match (self, gate) {
            (Self::Fused, None) => up.apply_op1_no_bwd(&FusedActivation(activation)),
            (Self::Fused, Some(gate)) => gate.apply_op2_no_bwd(up, &FusedActivation(activation)),
            (Self::Composed, _) => {
                let inner = gate.unwrap_or(up);
                let active = match activation {
                    Activation::GeluTanh => gelu_tanh(inner)?,
                    Activation::Silu => inner.silu()?,
                };
                if gate.is_some() { active * up } else { Ok(active) }
            }
        }
    }

    /// Rotates the two halves of each head of `(n, heads * head_dim)` by the angles whose cosines and sines are `(n, head_dim / 2)`.
    pub(super) fn rotate(self, x: &Tensor, cos: &Tensor, sin: &Tensor) -> Candle<Tensor> {
        if self == Self::Fused {
            return x.apply_op3_no_bwd(cos, sin, &FusedRotate);
        }
        let (n, half) = cos.dims2()?;
        let heads = x.dim(1)? / (2 * half);
        let x = x.reshape((n, heads, 2 * half))?;
        let (a, b) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
        let (cos, sin) = (cos.unsqueeze(1)?, sin.unsqueeze(1)?);
        let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
        Tensor::cat(&[first, second], 2)?.reshape((n, heads * 2 * half))
    }

    /// Softmax attention of each token over its path: queries `(n, heads * head_dim)`, keys and values `(n, kv_heads * head_dim)`.
    pub(super) fn attention(self, q: &Tensor, k: &Tensor, v: &Tensor, batch: &Batch, spec: &Spec) -> Candle<Tensor> {
        if self == Self::Fused {
            return q.apply_op3_no_bwd(k, v, &FusedAttention { batch, spec });
        }
        // Windows of equal length share one causal mask; any other batch is one row with a mask of ancestors.
        let (rows, t, mask) = match batch.rows {
            Some((n, t)) => (n, t, causal_mask(t, q.device())?),
            None => (1, batch.len(), ancestor_mask(batch, q.device())?),
        };
        let split =
            |x: &Tensor, heads: usize| x.reshape((rows, t, heads, spec.head_dim))?.transpose(1, 2)?.contiguous();
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
        let (q, k, v) =
            (split(q, spec.n_heads)?, spread(split(k, spec.n_kv_heads)?)?, spread(split(v, spec.n_kv_heads)?)?);
        let scores =
            (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * f64::from(spec.attention_scale))?.broadcast_add(&mask)?;
        let weights = softmax(&scores)?;
        weights.matmul(&v)?.transpose(1, 2)?.reshape((rows * t, spec.n_heads * spec.head_dim))
    }
}

fn scale_by_rms(x: &Tensor, eps: f64) -> Candle<Tensor> {
    x.broadcast_div(&(x.sqr()?.mean_keepdim(1)? + eps)?.sqrt()?)
}

/// The tanh form of gelu by the logistic function, `(1 + tanh u) / 2 = sigmoid(2 u)`: several times faster than candle's own `gelu`, whose
/// tanh is computed one element at a time.
fn gelu_tanh(x: &Tensor) -> Candle<Tensor> {
    let twice_u = (x * ((x.sqr()? * 0.044_715)? + 1.0)?)?.affine(2.0 * (2.0 / std::f64::consts::PI).sqrt(), 0.0)?;
    x * candle_nn::ops::sigmoid(&twice_u)?
}

/// Softmax over the last dimension in composed operations: candle's own fused one cuts the gradient without an error.
fn softmax(x: &Tensor) -> Candle<Tensor> {
    let last = x.rank() - 1;
    let e = x.broadcast_sub(&x.max_keepdim(last)?.detach())?.exp()?;
    e.broadcast_div(&e.sum_keepdim(last)?)
}

fn causal_mask(t: usize, device: &Device) -> Candle<Tensor> {
    let mask: Vec<f32> = (0..t * t).map(|at| if at % t <= at / t { 0.0 } else { f32::NEG_INFINITY }).collect();
    Tensor::from_vec(mask, (t, t), device)
}

fn ancestor_mask(batch: &Batch, device: &Device) -> Candle<Tensor> {
    let n = batch.len();
    let mut mask = vec![f32::NEG_INFINITY; n * n];
    for i in 0..n {
        for j in batch.path(i) {
            mask[i * n + *j as usize] = 0.0;
        }
    }
    Tensor::from_vec(mask, (n, n), device)
}

/// The contiguous f32 values behind a tensor.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Candle<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("fused operations need contiguous tensors"),
    }
}

fn made(values: Vec<f32>, shape: impl Into<Shape>) -> Candle<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}

struct FusedLinear;

impl FusedLinear {
    fn run(x: &[f32], xl: &Layout, w: &[f32], wl: &Layout, bias: Option<&[f32]>) -> Candle<(CpuStorage, Shape)> {
        let ((n, d_in), (d_out, _)) = (xl.shape().dims2()?, wl.shape().dims2()?);
        let mut out = match bias {
            Some(bias) => bias.repeat(n),
            None => vec![0.0; n * d_out],
        };
        kernels::add_matmul_t(n, d_out, d_in, x, w, &mut out);
        made(out, (n, d_out))
    }
}

impl CustomOp2 for FusedLinear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Candle<(CpuStorage, Shape)> {
        Self::run(slice(x, xl)?, xl, slice(w, wl)?, wl, None)
    }
}

impl CustomOp3 for FusedLinear {
    fn name(&self) -> &'static str {
        "linear-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        Self::run(slice(x, xl)?, xl, slice(w, wl)?, wl, Some(slice(b, bl)?))
    }
}

struct FusedLinearOnto<'a>(Option<&'a Tensor>);

impl CustomOp3 for FusedLinearOnto<'_> {
    fn name(&self) -> &'static str {
        "linear-onto"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        r: &CpuStorage,
        rl: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let ((n, d_in), (d_out, _)) = (xl.shape().dims2()?, wl.shape().dims2()?);
        let mut out = slice(r, rl)?.to_vec();
        if let Some(bias) = self.0 {
            let bias = bias.to_vec1::<f32>()?;
            for row in out.chunks_exact_mut(d_out) {
                row.iter_mut().zip(&bias).for_each(|(o, b)| *o += b);
            }
        }
        kernels::add_matmul_t(n, d_out, d_in, slice(x, xl)?, slice(w, wl)?, &mut out);
        made(out, (n, d_out))
    }
}

struct FusedNorm {
    eps: f32,
    centred: bool,
}

impl CustomOp2 for FusedNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Candle<(CpuStorage, Shape)> {
        let out = fused::norm(slice(x, xl)?, slice(w, wl)?, None, self.eps, self.centred);
        made(out, xl.shape().clone())
    }
}

impl CustomOp3 for FusedNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let out = fused::norm(slice(x, xl)?, slice(w, wl)?, Some(slice(b, bl)?), self.eps, self.centred);
        made(out, xl.shape().clone())
    }
}

struct FusedActivation(Activation);

impl CustomOp1 for FusedActivation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Candle<(CpuStorage, Shape)> {
        made(fused::activate(self.0, slice(x, xl)?, None), xl.shape().clone())
    }
}

impl CustomOp2 for FusedActivation {
    fn name(&self) -> &'static str {
        "gated-activation"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, u: &CpuStorage, ul: &Layout) -> Candle<(CpuStorage, Shape)> {
        made(fused::activate(self.0, slice(g, gl)?, Some(slice(u, ul)?)), gl.shape().clone())
    }
}

struct FusedRotate;

impl CustomOp3 for FusedRotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        c: &CpuStorage,
        cl: &Layout,
        s: &CpuStorage,
        sl: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let ((_, width), (_, half)) = (xl.shape().dims2()?, cl.shape().dims2()?);
        made(fused::rotate(slice(x, xl)?, width, slice(c, cl)?, slice(s, sl)?, half), xl.shape().clone())
    }
}

struct FusedAttention<'a> {
    batch: &'a Batch,
    spec: &'a Spec,
}

impl CustomOp3 for FusedAttention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        ql: &Layout,
        k: &CpuStorage,
        kl: &Layout,
        v: &CpuStorage,
        vl: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let out = fused::attention(slice(q, ql)?, slice(k, kl)?, slice(v, vl)?, self.batch, self.spec);
        made(out, ql.shape().clone())
    }
}

/// The cosines and sines of the rotary angles of some positions, `(n, pairs)` each.
pub(super) fn rotary_table(positions: &[u32], inv_freq: &[f32], device: &Device) -> Candle<(Tensor, Tensor)> {
    let angles: Vec<f32> = positions.iter().flat_map(|p| inv_freq.iter().map(move |f| *p as f32 * f)).collect();
    let angles = Tensor::from_vec(angles, (positions.len(), inv_freq.len()), device)?.to_dtype(DType::F32)?;
    Ok((angles.cos()?, angles.sin()?))
}
