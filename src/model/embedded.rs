//! The open models that are compiled into the binary, trained by `examples/train_family.rs`: two families of
//! seven sizes on everyday facts, and four families of five sizes on invented facts with earlier checkpoints
//! of the smaller four.

/// One embedded model.
#[derive(Debug)]
pub struct Member {
    /// Its name, which is its folder below `calibration/`.
    pub name: &'static str,
    /// Its family: models of one architecture and corpus.
    pub family: &'static str,
    pub(super) config: &'static [u8],
    pub(super) tokenizer: &'static [u8],
    pub(super) weights: &'static [u8],
}

macro_rules! members {
    ($($family:literal: $($(#[$where:meta])? $name:literal)+;)+) => {
        &[$($($(#[$where])? Member {
            name: $name,
            family: $family,
            config: include_bytes!(concat!("../../calibration/", $name, "/config.json")),
            tokenizer: include_bytes!(concat!("../../calibration/", $name, "/tokenizer.json")),
            weights: include_bytes!(concat!("../../calibration/", $name, "/model.safetensors")),
        }),+),+]
    };
}

impl Member {
    /// The training run that it is a checkpoint of, and the step of the checkpoint; none for the last.
    pub fn checkpoint(&self) -> (&'static str, Option<u64>) {
        checkpoint(self.name)
    }
}

/// The training run and the step that a name stands for: `RUN-stepN` is the checkpoint of a run at that step,
/// any other name the last checkpoint of its own run.
pub(crate) fn checkpoint(name: &str) -> (&str, Option<u64>) {
    match name.split_once("-step").map(|(run, step)| (run, step.parse())) {
        Some((run, Ok(step))) => (run, Some(step)),
        _ => (name, None),
    }
}

/// The models of everyday facts, family by family, from small to large. They answer nearly everything right.
pub static FAMILY: &[Member] = members! {
    "minigpt": "minigpt-1" "minigpt-2" "minigpt-3" "minigpt-4" "minigpt-5" "minigpt-6"
        #[cfg(largest_embedded)] "minigpt-7";
    "minillama": "minillama-1" "minillama-2" "minillama-3" "minillama-4" "minillama-5" "minillama-6"
        #[cfg(largest_embedded)] "minillama-7";
};

/// The models that the package of the registry has no room for (`build.rs`).
pub(super) const NOT_IN_PACKAGE: [&str; 2] = ["minigpt-7", "minillama-7"];

/// The models of invented facts, family by family, from small to large. Their accuracies run from guessing to
/// nearly everything.
pub static FACT_FAMILIES: &[Member] = members! {
    "factgpt": "factgpt-1-step1000" "factgpt-1" "factgpt-2-step1000" "factgpt-2" "factgpt-3-step1000"
        "factgpt-3" "factgpt-4-step1000" "factgpt-4" "factgpt-5";
    "factllama": "factllama-1-step1000" "factllama-1" "factllama-2-step1000" "factllama-2"
        "factllama-3-step1000" "factllama-3" "factllama-4-step1000" "factllama-4" "factllama-5";
    "factneox": "factneox-1-step1000" "factneox-1" "factneox-2-step1000" "factneox-2" "factneox-3-step1000"
        "factneox-3" "factneox-4-step1000" "factneox-4" "factneox-5";
    "factqwen": "factqwen-1-step1000" "factqwen-1" "factqwen-2-step1000" "factqwen-2" "factqwen-3-step1000"
        "factqwen-3" "factqwen-4-step1000" "factqwen-4" "factqwen-5";
};

/// All embedded models.
pub fn embedded() -> impl Iterator<Item = &'static Member> {
    FAMILY.iter().chain(FACT_FAMILIES)
}
