//! The table of candidates. A new candidate needs only its own file and a row in this table.

use super::chain::Chain;
use super::completion::Completion;
use super::elastic_net::ElasticNet;
use super::family_offset::FamilyOffset;
use super::floored::{Columns, Floored};
use super::forest::Forest;
use super::gain::{Gain, ProportionalGain};
use super::gaussian_process::GaussianProcess;
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
    &Chain,
    &RIDGE,
    &RIDGE_SIZE,
    &Floored { name: "size-floor", columns: Columns::Size, complexity: 12 },
    &Floored { name: "ridge-floor", columns: Columns::Features, complexity: 44 },
    &Floored { name: "ridge-size-floor", columns: Columns::FeaturesAndSize, complexity: 45 },
    &Pcr { name: "pcr-1", components: 1 },
    &Pcr { name: "pcr-2", components: 2 },
    &Pcr { name: "pcr-3", components: 3 },
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &Floored { name: "pcr-1-floor", columns: Columns::Components(1), complexity: 58 },
    &Floored { name: "pcr-2-floor", columns: Columns::Components(2), complexity: 59 },
    &ElasticNet,
    &Completion { name: "completion-1", factors: 1 },
    &Completion { name: "completion-2", factors: 2 },
    &Completion { name: "completion-3", factors: 3 },
    &FamilyOffset { name: "size-family", base: &Size, complexity: 80 },
    &FamilyOffset { name: "ridge-family", base: &RIDGE, complexity: 81 },
    &GaussianProcess { name: "gp", on_link: true, complexity: 85 },
    &GaussianProcess { name: "gp-unit", on_link: false, complexity: 86 },
    &Forest,
];

static RIDGE: Ridge = Ridge { name: "ridge", columns: Columns::Features, complexity: 40 };
static RIDGE_SIZE: Ridge = Ridge { name: "ridge-size", columns: Columns::FeaturesAndSize, complexity: 41 };

/// The observational scaling law with one to four components, for comparison. All four are compared, because
/// the authors of the law did not choose the number of components from the data. The law with four components
/// is not among the candidates.
pub static SCALING_LAW: [&dyn Candidate; 4] = [
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &Sigmoid { name: "sigmoid-4", components: 4 },
];

/// The index in [`ALL`] of the candidate with this name.
pub fn index_of(name: &str) -> Option<usize> {
    ALL.iter().position(|candidate| candidate.name() == name)
}

/// The index in [`ALL`] of the baseline with this role.
pub fn baseline(role: CandidateRole) -> Option<usize> {
    ALL.iter().position(|candidate| candidate.role() == role)
}

/// Indices in [`ALL`] of the candidates that may be selected on `n` rows, the simplest first.
pub fn selectable(n: usize) -> Vec<usize> {
    let may = |at: &usize| ALL[*at].role() != CandidateRole::MeanBaseline && n >= ALL[*at].least_rows();
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
        // The list may contain other candidates, which the filter removes.
        let names = |n: usize| -> Vec<&str> {
            let names = selectable(n).into_iter().map(|at| ALL[at].name());
            names.filter(|name| few.contains(name) || sigmoids.contains(name)).collect()
        };
        assert_eq!(names(19), few);
        assert_eq!(names(20), [&few[..6], &sigmoids].concat());
    }
}
