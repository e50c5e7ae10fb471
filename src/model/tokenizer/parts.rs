//! Walks through the parts of a tokenizer.json: a normalizer, pre-tokenizer, decoder or post-processor, or a
//! list of them.

use serde_json::Value;

/// Calls `work` with a part and, if the part is a list, with each of its elements. The second argument is the
/// path of the element.
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
