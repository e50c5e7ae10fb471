//! Provides the open models that are compiled into the binary, trained by `examples/train_family.rs`: two
//! families of seven sizes on everyday facts, and four families of five sizes on invented facts. In the
//! families on invented facts, each of the four smaller sizes also has an earlier checkpoint.

/// One embedded model.
#[derive(Debug)]
pub struct Member {
    /// Name of the model, and of its folder in `calibration/`.
    pub name: &'static str,
    /// Family of the model. The models of a family have the same architecture and corpus.
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
    /// The training run of the model and the step of its checkpoint; `None` for the last checkpoint.
    pub fn checkpoint(&self) -> (&'static str, Option<u64>) {
        checkpoint(self.name)
    }
}

/// The training run and the step that a name denotes: `RUN-stepN` is the checkpoint of a run at step N; any
/// other name is the last checkpoint of the run of that name.
pub(crate) fn checkpoint(name: &str) -> (&str, Option<u64>) {
    match name.split_once("-step").map(|(run, step)| (run, step.parse())) {
        Some((run, Ok(step))) => (run, Some(step)),
        _ => (name, None),
    }
}

/// The models trained on everyday facts, by family and from small to large. They answer nearly all questions
/// correctly.
pub static FAMILY: &[Member] = members! {
    "minigpt": "minigpt-1" "minigpt-2" "minigpt-3" "minigpt-4" "minigpt-5" "minigpt-6"
        #[cfg(largest_embedded)] "minigpt-7";
    "minillama": "minillama-1" "minillama-2" "minillama-3" "minillama-4" "minillama-5" "minillama-6"
        #[cfg(largest_embedded)] "minillama-7";
};

/// The models that the package on the Rust registry does not contain, because of its size limit (see
/// `build.rs`).
pub(super) const NOT_IN_PACKAGE: [&str; 2] = ["minigpt-7", "minillama-7"];

/// The models trained on invented facts, by family and from small to large. Their accuracies range from
/// chance to nearly 1.
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
