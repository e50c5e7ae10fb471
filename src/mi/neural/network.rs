//! Implements multilayer critics with candle. The initial weights are drawn from a seeded generator of this
//! crate, because candle cannot seed its own generator on a CPU.

use candle_core::{DType, Device, Tensor, Var, backprop::GradStore};
use candle_nn::Activation;
use candle_nn::Module;
use ndarray::ArrayView2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Result;

/// How the initial weights of a layer are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Initial {
    /// Weights and biases are uniform within `1 / sqrt(fan in)`; the last layer is zero.
    ZeroLast,
    /// Weights are normal with variance `2 / (fan in + fan out)` (Glorot & Bengio 2010); biases are zero.
    Xavier,
}

/// Linear layers with an activation between them.
#[derive(Debug)]
pub(crate) struct Network {
    layers: Vec<(Var, Var)>,
    activation: Activation,
}

impl Network {
    /// Draws the initial weights of layers with these `widths`.
    ///
    /// # Errors
    /// [`crate::Error::Compute`] if a tensor operation fails.
    pub(crate) fn new(
        widths: &[usize],
        activation: Activation,
        initial: Initial,
        generator: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let mut layers = vec![];
        for (at, pair) in widths.windows(2).enumerate() {
            let (from, to) = (pair[0], pair[1]);
            let last = at + 2 == widths.len();
            let most = (from as f32).sqrt().recip();
            let sd = (2.0 / (from + to) as f32).sqrt();
            let mut draw = |len: usize, bias: bool| -> Vec<f32> {
                let value = |_| match initial {
                    Initial::ZeroLast if last => 0.0,
                    Initial::ZeroLast => generator.random_range(-most..most),
                    Initial::Xavier if bias => 0.0,
                    Initial::Xavier => {
                        let z: f32 = StandardNormal.sample(generator);
                        sd * z
                    }
                };
                (0..len).map(value).collect()
            };
            let weight = Tensor::from_vec(draw(from * to, false), (to, from), &Device::Cpu)?;
            let bias = Tensor::from_vec(draw(to, true), to, &Device::Cpu)?;
            layers.push((Var::from_tensor(&weight)?, Var::from_tensor(&bias)?));
        }
        Ok(Self { layers, activation })
    }

    /// Evaluates the network.
    ///
    /// # Shapes
    /// `x` is `(rows, first width)`; the result is `(rows)`.
    ///
    /// # Errors
    /// [`crate::Error::Compute`] if a tensor operation fails.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut h = x.clone();
        for (at, (weight, bias)) in self.layers.iter().enumerate() {
            h = h.matmul(&weight.t()?)?.broadcast_add(bias)?;
            if at + 1 < self.layers.len() {
                h = self.activation.forward(&h)?;
            }
        }
        Ok(h.squeeze(1)?)
    }

    pub(crate) fn variables(&self) -> Vec<Var> {
        self.layers.iter().flat_map(|(weight, bias)| [weight.clone(), bias.clone()]).collect()
    }

    /// Copies the weights, so that [`Network::restore`] can restore them.
    ///
    /// # Errors
    /// [`crate::Error::Compute`] if a tensor operation fails.
    pub(crate) fn keep(&self) -> Result<Vec<Tensor>> {
        Ok(self
            .variables()
            .iter()
            .map(|variable| variable.as_tensor().copy())
            .collect::<candle_core::Result<_>>()?)
    }

    /// Restores weights that [`Network::keep`] copied.
    ///
    /// # Errors
    /// [`crate::Error::Compute`] if a tensor operation fails.
    pub(crate) fn restore(&self, kept: &[Tensor]) -> Result<()> {
        Ok(self.variables().iter().zip(kept).try_for_each(|(variable, kept)| variable.set(kept))?)
    }
}

/// Scales all gradients by a common factor, so that their joint norm is at most 1.
///
/// # Errors
/// [`crate::Error::Compute`] if a tensor operation fails.
pub(crate) fn clip(gradients: &mut GradStore, variables: &[Var]) -> Result<()> {
    let mut squares = 0.0;
    for gradient in variables.iter().filter_map(|variable| gradients.get(variable.as_tensor())) {
        squares += gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?;
    }
    let norm = squares.sqrt();
    if norm > 1.0 {
        for variable in variables {
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                let scaled = (gradient / norm)?;
                gradients.insert(variable.as_tensor(), scaled);
            }
        }
    }
    Ok(())
}

/// The bound of Donsker & Varadhan (1983), `mean(joint) - log mean exp(apart)`. `joint` contains the scores
/// of the true pairs, and `apart` contains the scores of independent pairs.
///
/// # Errors
/// [`crate::Error::Compute`] if a tensor operation fails.
pub(crate) fn donsker_varadhan(joint: &Tensor, apart: &Tensor) -> Result<Tensor> {
    let most = apart.max(0)?;
    let log_mean = apart.broadcast_sub(&most)?.exp()?.mean_all()?.log()?.add(&most)?;
    Ok((joint.mean_all()? - log_mean)?)
}

/// Converts the given rows of a matrix to a tensor.
///
/// # Errors
/// [`crate::Error::Compute`] if a tensor operation fails.
pub(crate) fn rows(values: ArrayView2<'_, f64>, rows: impl Iterator<Item = usize>) -> Result<Tensor> {
    let d = values.ncols();
    let values: Vec<f32> = rows.flat_map(|row| values.row(row).to_vec()).map(|value| value as f32).collect();
    Ok(Tensor::from_vec(values.clone(), (values.len() / d.max(1), d), &Device::Cpu)?)
}
