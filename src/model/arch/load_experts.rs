//! Loads the mixture of experts of one block in all published layouts.

use candle_core::Tensor;

use super::loader::Loader;
use super::tensor_names::ExpertMaps as Layout;
use crate::error::Result;
use crate::model::block_parameters::{ExpertMaps, Linear, Mlp};
use crate::model::spec::Mixture;
use crate::model::weights::Init;

impl Loader<'_> {
    pub(super) fn experts(&self, at: &dyn Fn(&str) -> String, mixture: &Mixture) -> Result<ExpertMaps> {
        let (d, names, normal) = (self.spec.d_model, &self.names.experts, Init::Normal(self.spec.init_std));
        let shared = mixture.shared.map(|shared| -> Result<_> {
            let mlp = match names.shared {
                ["", both, down] => self.joined_mlp(&at(both), &at(down), shared.d_mlp)?,
                three => self.gated_mlp(three.map(at), shared.d_mlp)?,
            };
            let gate = || self.linear(&at(names.shared_gate), [d, 1], false, normal);
            Ok((mlp, shared.gated.then(gate).transpose()?))
        });
        let (n, width) = (mixture.n_experts, mixture.d_expert);
        // The router is read first, so that the error for a wrong number of experts names the router.
        let router = self.linear(&at(names.router), [d, n], mixture.router_bias, normal)?;
        let choice_bias = mixture.choice_bias.then(|| -> Result<Tensor> {
            let name = self.full(&at(names.choice_bias));
            let shape: &[usize] = if names.is_choice_bias_row { &[1, n] } else { &[n] };
            Ok(self.source.tensor(&name, shape, Init::Zeros)?.flatten_all()?)
        });
        let experts = match names.maps {
            Layout::Each { list, maps } => (0..n)
                .map(|expert| self.gated_mlp(maps.map(|map| at(&format!("{list}.{expert}.{map}"))), width))
                .collect::<Result<_>>()?,
            Layout::Apart { maps, has_biases } => self.apart(maps.map(at), [n, d, width], has_biases)?,
            Layout::Stacked([inward, outward]) => self.stacked(&at(inward), &at(outward), [n, d, width])?,
            Layout::Alternating([inward, outward]) => {
                self.alternating(&at(inward), &at(outward), [n, d, width])?
            }
        };
        Ok(ExpertMaps { router, choice_bias: choice_bias.transpose()?, experts, shared: shared.transpose()? })
    }

    /// Reads an MLP whose gate, up and down are in three tensors, without biases.
    fn gated_mlp(&self, [gate, up, down]: [String; 3], width: usize) -> Result<Mlp> {
        let (d, normal) = (self.spec.d_model, Init::Normal(self.spec.init_std));
        let outward = Init::Normal(self.spec.residual_init_std);
        Ok(Mlp {
            gate: Some(self.linear(&gate, [d, width], false, normal)?),
            up: self.linear(&up, [d, width], false, normal)?,
            down: self.linear(&down, [width, d], false, outward)?,
        })
    }

    /// Reads an MLP with two tensors: `both` contains gate, then up; the second tensor contains down.
    fn joined_mlp(&self, both: &str, down: &str, width: usize) -> Result<Mlp> {
        let (d, normal) = (self.spec.d_model, Init::Normal(self.spec.init_std));
        let [gate, up] = self.linear(both, [d, 2 * width], false, normal)?.split([width, width])?;
        let outward = Init::Normal(self.spec.residual_init_std);
        Ok(Mlp { gate: Some(gate), up, down: self.linear(down, [width, d], false, outward)? })
    }

    fn apart(&self, names: [String; 3], [n, d, width]: [usize; 3], has_biases: bool) -> Result<Vec<Mlp>> {
        let normal = Init::Normal(self.spec.init_std);
        let residual = Init::Normal(self.spec.residual_init_std);
        let take = |name: &str, shape: [usize; 3], init: Init| -> Result<_> {
            let tensor = |end: &str, shape: &[usize], init| {
                self.source.tensor(&self.full(&format!("{name}.{end}")), shape, init)
            };
            let bias = has_biases.then(|| tensor("bias", &shape[..2], Init::Zeros)).transpose()?;
            Ok((tensor("weight", &shape, init)?, bias))
        };
        let [gate, up, down] = names;
        let gate = take(&gate, [n, width, d], normal)?;
        let up = take(&up, [n, width, d], normal)?;
        let down = take(&down, [n, d, width], residual)?;
        let expert = |(weights, biases): &(Tensor, Option<Tensor>), expert: usize| -> Result<Linear> {
            let bias = biases.as_ref().map(|biases| biases.get(expert)).transpose()?;
            Ok(Linear { weight: weights.get(expert)?, bias })
        };
        let mlp = |at: usize| {
            Ok(Mlp { gate: Some(expert(&gate, at)?), up: expert(&up, at)?, down: expert(&down, at)? })
        };
        (0..n).map(mlp).collect()
    }

    fn stacked(&self, inward: &str, outward: &str, [n, d, width]: [usize; 3]) -> Result<Vec<Mlp>> {
        let normal = Init::Normal(self.spec.init_std);
        let take = |name: &str, shape: [usize; 3], init| self.source.tensor(&self.full(name), &shape, init);
        let inward = take(inward, [n, 2 * width, d], normal)?;
        let outward = take(outward, [n, d, width], Init::Normal(self.spec.residual_init_std))?;
        let expert = |expert: usize| -> Result<Mlp> {
            let both = Linear { weight: inward.get(expert)?, bias: None };
            let [gate, up] = both.split([width, width])?;
            Ok(Mlp { gate: Some(gate), up, down: Linear { weight: outward.get(expert)?, bias: None } })
        };
        (0..n).map(expert).collect()
    }

    fn alternating(&self, inward: &str, outward: &str, [n, d, width]: [usize; 3]) -> Result<Vec<Mlp>> {
        let normal = Init::Normal(self.spec.init_std);
        let take = |name: String, shape: &[usize], init| self.source.tensor(&self.full(&name), shape, init);
        let residual = Init::Normal(self.spec.residual_init_std);
        let weights = [
            take(inward.to_owned(), &[n, d, 2 * width], normal)?,
            take(outward.to_owned(), &[n, width, d], residual)?,
        ];
        let biases = [
            take(format!("{inward}_bias"), &[n, 2 * width], Init::Zeros)?,
            take(format!("{outward}_bias"), &[n, d], Init::Zeros)?,
        ];
        // This source only checks shapes. Its tensors take no memory, because they broadcast a single zero.
        // Do not split them, because the parts would be copies of full size.
        if self.source.has_shapes_alone() {
            return Ok(vec![]);
        }
        let expert = |expert: usize| -> Result<Mlp> {
            let [inward, outward] = &weights;
            // `(in, width, 2)`: gate and up alternate in the last dimension.
            let inward = inward.get(expert)?.reshape((d, width, 2))?;
            let bias = biases[0].get(expert)?.reshape((width, 2))?;
            let half = |part: usize| -> Result<Linear> {
                let weight = inward.narrow(2, part, 1)?.squeeze(2)?.t()?.contiguous()?;
                Ok(Linear { weight, bias: Some(column(&bias, part)?) })
            };
            let weight = outward.get(expert)?.t()?.contiguous()?;
            let down = Linear { weight, bias: Some(biases[1].get(expert)?) };
            Ok(Mlp { gate: Some(half(0)?), up: half(1)?, down })
        };
        (0..n).map(expert).collect()
    }
}

fn column(matrix: &Tensor, at: usize) -> Result<Tensor> {
    Ok(matrix.narrow(1, at, 1)?.squeeze(1)?.contiguous()?)
}
