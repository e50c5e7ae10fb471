//! Wraps the loops of `fused.rs` as operations on candle tensors.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result, Shape,
    Storage, Tensor,
};

use super::attention_form::AttentionForm;
use super::batch::Batch;
use super::block_parameters::NormWeights;
use super::buffers;
use super::fused;
use super::spec::Activation;
use crate::numeric::kernels;

/// The f32 values of a contiguous tensor.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("fused operations need contiguous tensors"),
    }
}

/// The mutable f32 values of a contiguous tensor.
fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => candle_core::bail!("fused operations need contiguous tensors of f32"),
    }
}

/// Calls `f` with the values of a contiguous tensor, or with `None` without a tensor. Does not copy the
/// values.
fn with_values<T>(tensor: Option<&Tensor>, f: impl FnOnce(Option<&[f32]>) -> Result<T>) -> Result<T> {
    let Some(tensor) = tensor else { return f(None) };
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(Some(slice(storage, layout)?)),
        _ => candle_core::bail!("fused operations run only on the CPU"),
    }
}

fn made(values: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}

pub(super) struct FusedLinear;

impl FusedLinear {
    fn run(
        x: &[f32],
        xl: &Layout,
        w: &[f32],
        wl: &Layout,
        bias: Option<&[f32]>,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, d_in), (d_out, _)) = (xl.shape().dims2()?, wl.shape().dims2()?);
        let mut out = buffers::take(n * d_out);
        match bias {
            Some(bias) => {
                out.chunks_exact_mut(d_out).for_each(|row| row.copy_from_slice(bias));
                kernels::add_matmul_t(n, d_out, d_in, x, w, &mut out);
            }
            None => kernels::matmul_t(n, d_out, d_in, x, w, &mut out),
        }
        made(out, (n, d_out))
    }
}

impl CustomOp2 for FusedLinear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
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
    ) -> Result<(CpuStorage, Shape)> {
        Self::run(slice(x, xl)?, xl, slice(w, wl)?, wl, Some(slice(b, bl)?))
    }
}

/// `residual + x W^T + b`, with the bias `b` if there is one.
pub(super) struct FusedLinearOnto<'a>(pub Option<&'a Tensor>);

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
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, d_in), (d_out, _)) = (xl.shape().dims2()?, wl.shape().dims2()?);
        let mut out = buffers::take(n * d_out);
        out.copy_from_slice(slice(r, rl)?);
        with_values(self.0, |bias| {
            for row in out.chunks_exact_mut(d_out) {
                row.iter_mut().zip(bias.unwrap_or_default()).for_each(|(o, b)| *o += b);
            }
            Ok(())
        })?;
        kernels::add_matmul_t(n, d_out, d_in, slice(x, xl)?, slice(w, wl)?, &mut out);
        made(out, (n, d_out))
    }
}

pub(super) struct FusedNorm<'a> {
    pub eps: f32,
    pub centred: bool,
    pub weights: &'a NormWeights,
}

impl CustomOp1 for FusedNorm<'_> {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, d) = xl.shape().dims2()?;
        let out = with_values(self.weights.weight.as_ref(), |weight| {
            with_values(self.weights.bias.as_ref(), |bias| {
                Ok(fused::norm(slice(x, xl)?, d, weight, bias, self.eps, self.centred))
            })
        })?;
        made(out, xl.shape().clone())
    }
}

pub(super) struct FusedActivation(pub Activation);

impl InplaceOp1 for FusedActivation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, xl: &Layout) -> Result<()> {
        fused::activate(self.0, slice_mut(x, xl)?, None);
        Ok(())
    }
}

impl InplaceOp2 for FusedActivation {
    fn name(&self) -> &'static str {
        "gated-activation"
    }

    fn cpu_fwd(&self, g: &mut CpuStorage, gl: &Layout, u: &CpuStorage, ul: &Layout) -> Result<()> {
        fused::activate(self.0, slice_mut(g, gl)?, Some(slice(u, ul)?));
        Ok(())
    }
}

pub(super) struct FusedRotate {
    pub head_dim: usize,
    pub interleaved: bool,
}

impl InplaceOp3 for FusedRotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        xl: &Layout,
        c: &CpuStorage,
        cl: &Layout,
        s: &CpuStorage,
        sl: &Layout,
    ) -> Result<()> {
        let ((_, width), (_, pairs)) = (xl.shape().dims2()?, cl.shape().dims2()?);
        let (x, angles) = (slice_mut(x, xl)?, (slice(c, cl)?, slice(s, sl)?));
        if self.interleaved {
            fused::rotate_interleaved(x, width, self.head_dim, angles, pairs);
        } else {
            fused::rotate(x, width, self.head_dim, angles, pairs);
        }
        Ok(())
    }
}

pub(super) struct FusedAttention<'a> {
    pub batch: &'a Batch,
    pub form: AttentionForm<'a>,
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
    ) -> Result<(CpuStorage, Shape)> {
        let (q, keys, values) = (slice(q, ql)?, slice(k, kl)?, slice(v, vl)?);
        attention(q, keys, values, self.batch, self.form, ql)
    }
}

/// Attention over cached keys and values. The paths of the batch consist of cache rows.
pub(super) struct FusedCachedAttention<'a> {
    pub keys: &'a [f32],
    pub values: &'a [f32],
    pub batch: &'a Batch,
    pub form: AttentionForm<'a>,
}

impl CustomOp1 for FusedCachedAttention<'_> {
    fn name(&self) -> &'static str {
        "cached-attention"
    }

    fn cpu_fwd(&self, q: &CpuStorage, ql: &Layout) -> Result<(CpuStorage, Shape)> {
        attention(slice(q, ql)?, self.keys, self.values, self.batch, self.form, ql)
    }
}

fn attention(
    q: &[f32],
    keys: &[f32],
    values: &[f32],
    batch: &Batch,
    form: AttentionForm<'_>,
    layout: &Layout,
) -> Result<(CpuStorage, Shape)> {
    let AttentionForm { spec, window, sinks } = form;
    let out = with_values(sinks, |sinks| Ok(fused::attention(q, keys, values, batch, spec, window, sinks)))?;
    made(out, layout.shape().clone())
}
