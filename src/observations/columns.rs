//! What the columns of our own observations mean to a calibration.

/// How a row was measured: a card holds for rows measured alike.
pub const CONDITIONS: [&str; 5] = ["corpus_sha256", "n_windows", "shots", "scale", "noise_scale"];

/// Which reader read the texts and how, where texts were read: a condition as well.
pub const READER: &str = "reader";

/// The target's own headline and what is derived from it: answers, never features.
pub const ANSWERS: [&str; 7] = [
    "n_seeds",
    "emergence_nats",
    "emergence_stderr_nats",
    "learned_nats",
    "random_init_nats",
    "seed_stderr_nats",
    "emergence_bits_per_byte",
];

/// Names of the features of a profile, in order, all measured inside the target itself; in nats where nothing
/// else is said.
///
/// With `IE_l` the emergence of block `l` at the last entity and `u = l / L`: mean over blocks from 2 on and
/// all shots; largest; `u` of the largest; last block; least squares slope on `u`; mean of the last third
/// less that of the first; mean absolute second difference; slope of the blocks' mean per `log2(shots + 1)`;
/// variance of the blocks' mean over shots; the blocks' mean at most shots; and that over the ceiling of the
/// macro information (the entropy of the contexts, as far as windows can tell them apart); the blocks' mean
/// at most shots in bits per byte of text and over the log of the vocabulary, for comparison; and tokens per
/// byte, which say how finely the tokenizer cuts.
pub const FEATURES: [&str; 14] = [
    "ie_mean_nats",
    "ie_max_nats",
    "u_argmax",
    "ie_final_nats",
    "ie_slope_u_nats",
    "ie_late_minus_early_nats",
    "ie_rough_nats",
    "shot_slope_nats",
    "shot_variance_nats2",
    "ie_mean_max_shots_nats",
    "ie_mean_per_entropy",
    "ie_mean_bits_per_byte",
    "ie_mean_per_log_vocab",
    "tokens_per_byte",
];

/// The shape of a model, which goes with its family.
const SHAPE: [&str; 3] = ["n_layers", "d_model", "vocab_size"];

/// Whether nobody has a column of a model behind an API: what is measured inside the target itself.
pub fn is_internal(column: &str) -> bool {
    FEATURES.contains(&column) || SHAPE.contains(&column)
}
