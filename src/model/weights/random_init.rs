//! Seeded initial weights: the randomly initialised model, and the start of training.

use candle_core::{DType, Device, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;

use super::init::Init;
use super::source::ParameterSource;
use crate::error::Result;
use crate::seed;

/// Initial weights of a seed. Each tensor has a random stream of its own, so its values depend on the seed,
/// its name and its shape alone.
#[derive(Debug, Clone, Copy)]
pub struct RandomInit {
    /// The seed.
    pub seed: u64,
}

impl ParameterSource for RandomInit {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        Ok(match init {
            Init::Ones => Tensor::ones(shape, DType::F32, &Device::Cpu)?,
            Init::Zeros => Tensor::zeros(shape, DType::F32, &Device::Cpu)?,
            Init::Normal(std) => {
                let mut rng = seed::stream("weights", name, self.seed);
                let values: Vec<f32> = (0..shape.iter().product())
                    .map(|_| (rng.sample::<f64, _>(StandardNormal) * std) as f32)
                    .collect();
                Tensor::from_vec(values, shape, &Device::Cpu)?
            }
        })
    }
}
