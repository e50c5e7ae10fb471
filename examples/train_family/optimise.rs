//! Implements AdamW (Loshchilov and Hutter 2019) with gradient clipping. The implementation in candle-nn
//! keeps its moments private, so a run could not save and restore them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Result, Tensor, Var};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.98;
const EPS: f64 = 1e-8;
const WEIGHT_DECAY: f64 = 0.01;
const CLIP: f64 = 1.0;

/// Parameters with their first and second moments.
pub struct AdamW {
    slots: BTreeMap<String, Slot>,
    steps: i32,
}

struct Slot {
    var: Var,
    first: Tensor,
    second: Tensor,
}

impl AdamW {
    pub fn new(vars: BTreeMap<String, Var>) -> Result<Self> {
        let slot = |(name, var): (String, Var)| {
            let zero = var.zeros_like()?;
            Ok((name, Slot { first: zero.clone(), second: zero, var }))
        };
        Ok(Self { slots: vars.into_iter().map(slot).collect::<Result<_>>()?, steps: 0 })
    }

    /// One step along the negative gradient of `loss`, with the norm of the gradient clipped to 1. Returns an
    /// error for a parameter without a gradient, because candle does not report a broken graph.
    pub fn step(&mut self, loss: &Tensor, learning_rate: f64) -> Result<()> {
        let gradients = loss.backward()?;
        let mut square = 0.0;
        for (name, slot) in &self.slots {
            let Some(gradient) = gradients.get(&slot.var) else {
                candle_core::bail!("parameter {name} has no gradient")
            };
            square += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let scale = (CLIP / square.sqrt().max(CLIP)).min(1.0);
        self.steps += 1;
        let (correct_1, correct_2) = (1.0 - BETA_1.powi(self.steps), 1.0 - BETA_2.powi(self.steps));
        for slot in self.slots.values_mut() {
            let Some(gradient) = gradients.get(&slot.var) else { continue };
            let gradient = (gradient.detach() * scale)?;
            slot.first = ((&slot.first * BETA_1)? + (&gradient * (1.0 - BETA_1))?)?.detach();
            slot.second = ((&slot.second * BETA_2)? + (gradient.sqr()? * (1.0 - BETA_2))?)?.detach();
            let update = ((&slot.first / correct_1)? / ((&slot.second / correct_2)?.sqrt()? + EPS)?)?;
            let decay = if slot.var.rank() > 1 { learning_rate * WEIGHT_DECAY } else { 0.0 };
            let next = ((slot.var.as_tensor() * (1.0 - decay))? - (update * learning_rate)?)?;
            slot.var.set(&next.detach())?;
        }
        Ok(())
    }

    /// Saves parameters, moments, the number of completed steps and the length of the schedule, first to a
    /// temporary file.
    pub fn save(&self, path: &Path, done: usize, of: usize) -> Result<()> {
        let mut tensors = HashMap::new();
        for (name, slot) in &self.slots {
            tensors.insert(format!("w/{name}"), slot.var.as_tensor().clone());
            tensors.insert(format!("m/{name}"), slot.first.clone());
            tensors.insert(format!("v/{name}"), slot.second.clone());
        }
        tensors.insert("steps".into(), Tensor::new(&[done as u32, of as u32], &Device::Cpu)?);
        let partial = path.with_extension("partial");
        candle_core::safetensors::save(&tensors, &partial)?;
        Ok(std::fs::rename(partial, path)?)
    }

    /// Loads a saved state of a schedule of `of` steps; returns the number of completed steps. A state of
    /// another schedule is an error, because its learning rates differ.
    pub fn load(&mut self, path: &Path, of: usize) -> Result<usize> {
        let mut tensors = candle_core::safetensors::load(path, &Device::Cpu)?;
        let mut take = |name: String| {
            tensors
                .remove(&name)
                .ok_or_else(|| candle_core::Error::Msg(format!("the saved state has no tensor {name}")))
        };
        for (name, slot) in &mut self.slots {
            slot.var.set(&take(format!("w/{name}"))?)?;
            slot.first = take(format!("m/{name}"))?;
            slot.second = take(format!("v/{name}"))?;
        }
        let steps = take("steps".into())?.to_vec1::<u32>()?;
        let &[done, planned] = steps.as_slice() else {
            candle_core::bail!("{} is not a saved state of this trainer", path.display())
        };
        if planned as usize != of {
            candle_core::bail!(
                "{} is from a run of {planned} steps, not {of}; remove it to start again",
                path.display()
            )
        }
        self.steps = done as i32;
        Ok(done as usize)
    }
}
