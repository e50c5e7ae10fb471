//! What the columns of our own observations mean to a calibration.

/// How a row was measured: a card holds for rows measured alike.
pub const CONDITIONS: [&str; 5] = ["corpus_sha256", "n_windows", "shots", "scale", "setting"];

/// Which reader read the texts and how, where texts were read: a condition as well.
pub const READER: &str = "reader";

/// The target's own headline and what is derived from it: answers, never features.
pub const ANSWERS: [&str; 7] = [
    "n_seeds",
    "emergence_nats",
    "emergence_stderr_nats",
    "learned_nats",
    "twin_nats",
    "seed_stderr_nats",
    "emergence_bits_per_byte",
];

/// What is measured inside the target itself; nobody has it of a model behind an API.
pub const INTERNAL: [&str; 17] = [
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
    "n_layers",
    "d_model",
    "vocab_size",
];
