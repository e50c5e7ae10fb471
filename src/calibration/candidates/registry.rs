//! The table of candidates. A row here is all that a new candidate needs beside its own file.

use super::elastic_net::ElasticNet;
use super::gain::{Gain, ProportionalGain};
use super::mean::Mean;
use super::pcr::Pcr;
use super::ridge::Ridge;
use super::sigmoid::Sigmoid;
use super::size::Size;
use super::{Candidate, CandidateRole};

/// Every candidate, in the order in which cards and reports list them.
pub static ALL: &[&dyn Candidate] = &[
    &Mean,
    &Size,
    &ProportionalGain,
    &Gain,
    &Ridge,
    &Pcr { name: "pcr-1", components: 1 },
    &Pcr { name: "pcr-2", components: 2 },
    &Pcr { name: "pcr-3", components: 3 },
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &ElasticNet,
];

/// The observational scaling law with one to four components, for comparison: its authors did not choose
/// their number by the data, and the one with four is not among the candidates.
pub static SCALING_LAW: [&dyn Candidate; 4] = [
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &Sigmoid { name: "sigmoid-4", components: 4 },
];

/// The index in [`ALL`] of the candidate of that name.
pub fn index_of(name: &str) -> Option<usize> {
    ALL.iter().position(|candidate| candidate.name() == name)
}

/// The index in [`ALL`] of the baseline of that role.
pub fn baseline(role: CandidateRole) -> Option<usize> {
    ALL.iter().position(|candidate| candidate.role() == role)
}

/// Indices in [`ALL`] of the candidates that may be selected on `n` rows, the simplest first.
pub fn selectable(n: usize) -> Vec<usize> {
    let may = |at: &usize| ALL[*at].role() == CandidateRole::Calibration && n >= ALL[*at].least_rows();
    let mut found: Vec<usize> = (0..ALL.len()).filter(may).collect();
    found.sort_by_key(|at| ALL[*at].complexity());
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_complexities_are_distinct_and_each_baseline_is_there_once() {
        let names: BTreeSet<&str> = ALL.iter().map(|candidate| candidate.name()).collect();
        let orders: BTreeSet<u32> = ALL.iter().map(|candidate| candidate.complexity()).collect();
        assert_eq!((names.len(), orders.len()), (ALL.len(), ALL.len()));
        for (role, name) in [(CandidateRole::MeanBaseline, "mean"), (CandidateRole::SizeBaseline, "size")] {
            assert_eq!(ALL.iter().filter(|candidate| candidate.role() == role).count(), 1);
            assert_eq!(baseline(role).map(|at| ALL[at].name()), Some(name));
        }
    }

    #[test]
    fn a_gain_is_simpler_than_ridge_then_come_components_sigmoids_and_the_elastic_net() {
        let few = ["gain-1", "gain", "ridge", "pcr-1", "pcr-2", "pcr-3", "elastic_net"];
        let sigmoids = ["sigmoid-1", "sigmoid-2", "sigmoid-3", "elastic_net"];
        // Others may stand between them.
        let names = |n: usize| -> Vec<&str> {
            let names = selectable(n).into_iter().map(|at| ALL[at].name());
            names.filter(|name| few.contains(name) || sigmoids.contains(name)).collect()
        };
        assert_eq!(names(19), few);
        assert_eq!(names(20), [&few[..6], &sigmoids].concat());
    }
}
