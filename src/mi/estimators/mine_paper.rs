//! `mine-paper`: implements the method of the published emergence code, for comparison. It also reports the
//! value on held-out pairs.
//!
//! The network has widths `(d_x + d_y, 768, 384, 192, 96, 48, 24, 12, 6, 3, 1)`, `LeakyReLU` with slope .01,
//! Xavier normal weights and zero biases. The optimiser is Adam with learning rate 1e-4, 5 warm-up steps, and
//! polynomial decay of power 3 to 1e-8. Each epoch compares all rows with one random permutation of `y`. The
//! estimate is the largest value of the *training* objective, and at least 0. It is neither a bound nor
//! consistent: it grows with the number of epochs even for independent samples (d = 20, n = 500, 2000 epochs:
//! 11.0 nats).
//!
//! This implementation trains on four fifths of the rows. `mi_nats` is the estimate of the published method,
//! `lower_nats` is the bound on the other fifth after the last epoch, and `optimism_nats` is their
//! difference. The implementation differs from the published code in three ways. The published code clips
//! gradients before computing them, which has no effect and is omitted here. The published code reports bits
//! instead of nats, and it always measures 768 dimensions at a time.
//!
//! # References
//! Chen, Yang, Zhu, Wang, arXiv 2405.12617, and its published code; Belghazi et al. 2018.

use candle_core::Tensor;
use candle_nn::{Activation, AdamW, Optimizer, ParamsAdamW};
use rand::seq::SliceRandom;

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::neural::network::{Initial, Network, donsker_varadhan, rows};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};
use crate::seed::stream;

const HIDDEN: [usize; 10] = [768, 384, 192, 96, 48, 24, 12, 6, 3, 1];
const EPOCHS: usize = 100;
const RATE: f64 = 1e-4;
const LAST_RATE: f64 = 1e-8;
const WARM_UP: usize = 5;
/// One row in this many is held out.
const HELD_OUT: usize = 5;
const LEAST_ROWS: usize = 20;
/// Estimates whose optimism exceeds this number of nats are flagged.
const OPTIMISTIC_NATS: f64 = 0.1;

/// The `mine-paper` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct MinePaper;

impl Estimator for MinePaper {
    fn name(&self) -> &'static str {
        "mine-paper"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Training,
            what: "the published method: the maximum over all epochs of the training objective of a MINE \
                   network; lower_nats is the held-out objective after the last epoch",
            reference: "Chen, Yang, Zhu, Wang, arXiv 2405.12617; Belghazi et al. 2018",
            cost: "100 epochs of all rows: two minutes at n = 5000 on one core",
            limits: "for comparison only: the estimate grows with training; use lower_nats instead",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: LEAST_ROWS,
            neighbours: Neighbours::None,
            copies: Copies::Flagged,
            reads: Reads::Values,
        };
        estimate_checked(self, pairs, required, seed, |samples| train(samples, seed))
    }
}

fn train(samples: &Samples, seed: u64) -> Result<RawEstimate> {
    let mut order: Vec<usize> = (0..samples.n).collect();
    order.shuffle(&mut stream("mi/mine-paper", "order", seed));
    let (held_out, train) = order.split_at(samples.n / HELD_OUT);
    let widths = [&[samples.dx() + samples.dy()], &HIDDEN[..]].concat();
    let mut generator = stream("mi/mine-paper", "weights", seed);
    let network = Network::new(&widths, Activation::LeakyRelu(0.01), Initial::Xavier, &mut generator)?;
    let parameters = ParamsAdamW { lr: RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimiser = AdamW::new(network.variables(), parameters)?;
    let mut permutations = stream("mi/mine-paper", "permutations", seed);
    let (of_x, of_y) = (samples.x.values(), samples.y.values());
    let bound = |chosen: &[usize], permuted: &[usize]| -> Result<Tensor> {
        let x = rows(of_x.view(), chosen.iter().copied())?;
        let pairs = |y: &[usize]| -> Result<Tensor> {
            let y = rows(of_y.view(), y.iter().copied())?;
            network.forward(&Tensor::cat(&[&x, &y], 1)?)
        };
        donsker_varadhan(&pairs(chosen)?, &pairs(permuted)?)
    };
    let mut most = 0.0_f64;
    let mut permuted = train.to_vec();
    for epoch in 0..EPOCHS {
        permuted.shuffle(&mut permutations);
        let objective = bound(train, &permuted)?;
        let value = f64::from(objective.to_scalar::<f32>()?);
        if !value.is_finite() {
            return Ok(RawEstimate { flags: vec![Flag::Failed], ..RawEstimate::default() });
        }
        most = most.max(value);
        let left = 1.0 - epoch.saturating_sub(WARM_UP) as f64 / (EPOCHS - WARM_UP) as f64;
        let decayed = (RATE - LAST_RATE) * left.powi(3) + LAST_RATE;
        optimiser.set_learning_rate(if epoch < WARM_UP {
            RATE * (epoch + 1) as f64 / WARM_UP as f64
        } else {
            decayed
        });
        optimiser.step(&objective.neg()?.backward()?)?;
    }
    let mut moved = held_out.to_vec();
    moved.rotate_left(1);
    let lower = f64::from(bound(held_out, &moved)?.to_scalar::<f32>()?);
    let optimism = most - lower;
    let flags = if optimism > OPTIMISTIC_NATS { vec![Flag::Optimistic] } else { vec![] };
    Ok(RawEstimate {
        mi_nats: most,
        lower_nats: Some(lower),
        optimism_nats: Some(optimism),
        flags,
        ..RawEstimate::default()
    })
}
