//! The open family that is compiled into the binary: two recipes of seven sizes, trained by `examples/train_family.rs`.

/// One embedded model.
#[derive(Debug)]
pub struct Member {
    /// Its name, which is its folder below `calibration/`.
    pub name: &'static str,
    /// The recipe it belongs to: its family.
    pub recipe: &'static str,
    pub(super) config: &'static [u8],
    pub(super) tokenizer: &'static [u8],
    pub(super) weights: &'static [u8],
}

/// The embedded models, each recipe from small to large.
pub static FAMILY: &[Member] = &[];
