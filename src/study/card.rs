//! Specifies the calibration of semantic emergence: the default target and features, and how a card is fitted
//! on observations of open models.

use crate::calibration::{CalibrationSpec, Link};

/// The default target of a card: the mean semantic share over depth.
pub const TARGET: &str = "semantic_share_mean";

/// The default features of a card: the category and the scores of the API's answers. They do not include
/// features measured inside the proxy (such as `proxy_semantic_share_mean`), which did not improve the
/// predictions in a test on half of the families.
pub const FEATURES: [&str; 5] = [
    "corpus",
    "semantic_logprob_nats",
    "semantic_accuracy",
    "semantic_output_share",
    "semantic_answer_share",
];

/// The feature for the model size, used if `sizes = true` declares sizes as published.
pub(super) const SIZE: &str = "params_b";

/// The specification of a card for `target`. `values` are the values of the target in the training rows.
pub(super) fn specification(
    target: &str,
    features: Vec<String>,
    level: f64,
    values: &[Option<f64>],
) -> CalibrationSpec {
    CalibrationSpec {
        target: target.to_owned(),
        features,
        link: Some(link(target, values)),
        for_api: true,
        level,
        unit: unit(target).into(),
        ..CalibrationSpec::default()
    }
}

/// The link of a target. Shares lie between 0 and 1, but their estimates exceed both bounds by a few
/// hundredths, so the bounds of the logit are wider. Other targets have the identity link.
pub(super) fn link(target: &str, values: &[Option<f64>]) -> Link {
    let wide = Link::Logit { low: -0.1, high: 1.1 };
    let is_share = unit(target) == "share" && values.iter().flatten().all(|value| wide.contains(*value));
    if is_share { wide } else { Link::Identity }
}

/// The unit of a target.
pub(super) fn unit(target: &str) -> &'static str {
    if target.contains("_nats") { "nats" } else { "share" }
}
