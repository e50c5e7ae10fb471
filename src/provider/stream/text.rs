//! Helpers for the texts of joined bodies.

use serde_json::Value;

/// Appends the string in a member of an event to a text.
pub(super) fn append(text: &mut Option<String>, piece: &Value) {
    if let Some(piece) = piece.as_str() {
        text.get_or_insert_default().push_str(piece);
    }
}

/// Whether a joined body contains text, in any format.
pub(super) fn is_in(body: &Value) -> bool {
    let places = [
        "/choices/0/message/content",
        "/choices/0/text",
        "/content/0/text",
        "/candidates/0/content/parts/0/text",
        "/message/content",
        "/output/0/content/0/text",
    ];
    places
        .iter()
        .any(|place| body.pointer(place).and_then(Value::as_str).is_some_and(|text| !text.is_empty()))
}
