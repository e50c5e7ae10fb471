//! Generates seeded initial weights, for the randomly initialised model and for training.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;

use super::init::Init;
use super::source::ParameterSource;
use crate::error::Result;
use crate::seed;

/// Initial weights from a seed. Each tensor has its own random stream, so the values of a tensor depend only
/// on the seed, the name of the tensor, and its shape.
#[derive(Debug, Clone, Copy)]
pub struct RandomInit {
    /// The seed.
    pub seed: u64,
}

impl RandomInit {
    /// The first `n` values of a tensor.
    pub(super) fn values(self, name: &str, n: usize, init: Init) -> Box<dyn Iterator<Item = f32>> {
        match init {
            Init::Ones => Box::new(std::iter::repeat_n(1.0, n)),
            Init::Zeros => Box::new(std::iter::repeat_n(0.0, n)),
            Init::Normal(std) => {
                let mut rng = seed::stream("weights", name, self.seed);
                Box::new((0..n).map(move |_| (rng.sample::<f64, _>(StandardNormal) * std) as f32))
            }
        }
    }
}

impl ParameterSource for RandomInit {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        let values: Vec<f32> = self.values(name, shape.iter().product(), init).collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}
