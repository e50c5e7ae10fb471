//! The open family that is compiled into the binary: two families of seven sizes, trained by
//! `examples/train_family.rs`.

/// One embedded model.
#[derive(Debug)]
pub struct Member {
    /// Its name, which is its folder below `calibration/`.
    pub name: &'static str,
    /// Its family: GPT-2-like or Llama-like.
    pub family: &'static str,
    pub(super) config: &'static [u8],
    pub(super) tokenizer: &'static [u8],
    pub(super) weights: &'static [u8],
}

macro_rules! members {
    ($($family:literal: $($name:literal)+;)+) => {
        &[$($(Member {
            name: $name,
            family: $family,
            config: include_bytes!(concat!("../../calibration/", $name, "/config.json")),
            tokenizer: include_bytes!(concat!("../../calibration/", $name, "/tokenizer.json")),
            weights: include_bytes!(concat!("../../calibration/", $name, "/model.safetensors")),
        }),+),+]
    };
}

/// The embedded models, family by family, from small to large.
pub static FAMILY: &[Member] = members! {
    "minigpt": "minigpt-1" "minigpt-2" "minigpt-3" "minigpt-4" "minigpt-5" "minigpt-6" "minigpt-7";
    "minillama": "minillama-1" "minillama-2" "minillama-3" "minillama-4" "minillama-5" "minillama-6"
        "minillama-7";
};
