//! Computes the MLP of a block, or its mixture of experts.

use candle_core::{Result, Tensor};

use super::block_parameters::{ExpertMaps, Mlp};
use super::ops::{Ops, softmax};
use super::spec::{Activation, ExpertGroups, ExpertWeights, Mixture};

/// Added to the sum of the weights to avoid division by zero (DeepSeek).
const LEAST_SUM: f64 = 1e-20;

/// The hidden values of an MLP, `(n, d_mlp)`, before its last map.
pub(super) fn inner(ops: Ops, activation: Activation, mlp: &Mlp, x: &Tensor) -> Result<Tensor> {
    let gate = mlp.gate.as_ref().map(|gate| ops.linear(x, gate)).transpose()?;
    ops.activate(activation, gate, ops.linear(x, &mlp.up)?)
}

/// The output of a mixture for inputs `(n, d_model)`. The tokens of one expert are computed together.
pub(super) fn mixture(
    ops: Ops,
    activation: Activation,
    mixture: &Mixture,
    maps: &ExpertMaps,
    x: &Tensor,
) -> Result<Tensor> {
    let ((n, d), n_chosen) = (x.dims2()?, mixture.n_chosen);
    let whole = |mlp: &Mlp, x: &Tensor| ops.linear(&inner(ops, activation, mlp, x)?, &mlp.down);
    let logits = ops.linear(x, &maps.router)?;
    let scores = match mixture.weights {
        ExpertWeights::Sigmoid | ExpertWeights::NormalisedSigmoid => candle_nn::ops::sigmoid(&logits)?,
        // Without a choice bias, the experts can be chosen by their logits, because softmax keeps the order.
        _ if !mixture.choice_bias => logits.clone(),
        ExpertWeights::SoftmaxOfChosen | ExpertWeights::SoftmaxOfAll => softmax(&logits)?,
    };
    let biased = match maps.choice_bias.as_ref().filter(|_| mixture.choice_bias) {
        Some(bias) => scores.broadcast_add(bias)?,
        None => scores.clone(),
    };
    let mut biased = biased.to_vec2()?;
    if let Some(groups) = mixture.groups {
        biased.iter_mut().for_each(|row| keep_groups(row, groups));
    }
    let chosen = largest(&biased, n_chosen);
    let indices = Tensor::from_slice(&chosen, (n, n_chosen), x.device())?;
    let mut weights = match mixture.weights {
        ExpertWeights::SoftmaxOfChosen => softmax(&logits.gather(&indices, 1)?)?,
        ExpertWeights::SoftmaxOfAll => softmax(&logits)?.gather(&indices, 1)?,
        ExpertWeights::Sigmoid => scores.gather(&indices, 1)?,
        ExpertWeights::NormalisedSigmoid => {
            let weights = scores.gather(&indices, 1)?;
            weights.broadcast_div(&(weights.sum_keepdim(1)? + LEAST_SUM)?)?
        }
    };
    if mixture.scale != 1.0 {
        weights = (weights * mixture.scale)?;
    }

    // A place is a pair of a token and one of its experts. Outputs are computed expert by expert and then
    // sorted by place.
    let mut places: Vec<Vec<u32>> = vec![vec![]; mixture.n_experts];
    chosen.iter().enumerate().for_each(|(place, expert)| places[*expert as usize].push(place as u32));
    let mut outputs = vec![];
    for (expert, places) in maps.experts.iter().zip(&places).filter(|(_, places)| !places.is_empty()) {
        let tokens: Vec<u32> = places.iter().map(|place| place / n_chosen as u32).collect();
        let tokens = Tensor::from_slice(&tokens, tokens.len(), x.device())?;
        outputs.push(whole(expert, &x.index_select(&tokens, 0)?)?);
    }
    let mut order = vec![0u32; chosen.len()];
    places.iter().flatten().enumerate().for_each(|(row, place)| order[*place as usize] = row as u32);
    let order = Tensor::from_slice(&order, order.len(), x.device())?;
    let outputs = Tensor::cat(&outputs, 0)?.index_select(&order, 0)?.reshape((n, n_chosen, d))?;
    let mixed = outputs.broadcast_mul(&weights.unsqueeze(2)?)?.sum(1)?;

    let Some((shared, gate)) = &maps.shared else { return Ok(mixed) };
    let output = whole(shared, x)?;
    mixed
        + match gate {
            Some(gate) => output.broadcast_mul(&candle_nn::ops::sigmoid(&ops.linear(x, gate)?)?)?,
            None => output,
        }
}

/// Sets the scores of experts outside the chosen groups to minus infinity.
fn keep_groups(scores: &mut [f32], ExpertGroups { n, n_chosen }: ExpertGroups) {
    let size = scores.len() / n.max(1);
    let sum_of_best = |group: &[f32]| {
        let [best, next] = group.iter().fold([f32::NEG_INFINITY; 2], |[best, next], score| {
            if *score > best { [*score, best] } else { [best, next.max(*score)] }
        });
        best + next
    };
    let sums: Vec<f32> = scores.chunks(size.max(1)).map(sum_of_best).collect();
    let chosen = largest(&[sums], n_chosen);
    for (group, scores) in scores.chunks_mut(size.max(1)).enumerate() {
        if !chosen.contains(&(group as u32)) {
            scores.fill(f32::NEG_INFINITY);
        }
    }
}

/// The indices of the `n_chosen` largest values of each row in descending order. Equal values keep their
/// order.
fn largest(rows: &[Vec<f32>], n_chosen: usize) -> Vec<u32> {
    let mut chosen = Vec::with_capacity(rows.len() * n_chosen);
    for row in rows {
        let mut order: Vec<u32> = (0..row.len() as u32).collect();
        order.sort_by(|a, b| row[*b as usize].total_cmp(&row[*a as usize]));
        chosen.extend(&order[..n_chosen]);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::{ExpertGroups, keep_groups, largest};

    #[test]
    fn groups_are_chosen_by_the_sum_of_their_two_best_scores() {
        let mut scores = [9.0, 0.0, 0.0, 5.0, 5.0, 1.0, -3.0, -1.0, 9.5];
        keep_groups(&mut scores, ExpertGroups { n: 3, n_chosen: 1 });
        assert_eq!(largest(&[scores.to_vec()], 3), [3, 4, 5]);
        assert!(scores[0] == f32::NEG_INFINITY && scores[8] == f32::NEG_INFINITY);
    }

    #[test]
    fn of_equal_logits_the_first_expert_is_chosen() {
        let rows =
            [vec![1.0, 3.0, 3.0, 2.0], vec![0.0, 0.0, 0.0, -0.0], vec![-1.0, f32::NEG_INFINITY, 5.0, 7.0]];
        assert_eq!(largest(&rows, 2), [1, 2, 0, 1, 3, 2]);
    }
}
