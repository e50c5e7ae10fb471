//! The parts of a tokenizer.json: a normalizer, pre-tokenizer, decoder or post-processor, or a list of them.

use serde_json::Value;

/// Runs `work` with a part and each of those that it is a list of, named by their place.
pub(super) fn each(
    part: &Value,
    place: &str,
    list: &str,
    work: &mut dyn FnMut(&Value, &str) -> Result<(), String>,
) -> Result<(), String> {
    work(part, place)?;
    for (at, inner) in part[list].as_array().into_iter().flatten().enumerate() {
        each(inner, &format!("{place}.{list}[{at}]"), list, work)?;
    }
    Ok(())
}
