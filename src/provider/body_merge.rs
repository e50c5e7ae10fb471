//! Adds the members of `--body-json` to the body of a request.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Adds members to a body. Objects are merged, and no existing value is replaced.
///
/// # Errors
/// [`Error::Parameter`] for a member that the body already has with another value.
pub(super) fn merge(body: &mut Value, added: &Map<String, Value>) -> Result<()> {
    merge_at("", body, added)
}

fn merge_at(path: &str, body: &mut Value, added: &Map<String, Value>) -> Result<()> {
    let Value::Object(members) = body else { return Ok(()) };
    for (name, value) in added {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (members.get_mut(name), value) {
            (None, value) => drop(members.insert(name.clone(), value.clone())),
            (Some(here @ Value::Object(_)), Value::Object(inner)) => merge_at(&path, here, inner)?,
            (Some(here), value) if here == value => {}
            (Some(_), _) => {
                let reason = "surmise already sends; change it with its own flag, or make surmise omit it \
                              (for example with `--temperature none`)";
                let reason = format!("must not replace `{path}`, which {reason}");
                return Err(Error::Parameter { name: "--body-json", reason });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn objects_are_merged_and_nothing_is_replaced() {
        let mut body = json!({"model": "m", "options": {"temperature": 0.0}});
        let added = members(json!({"options": {"top_k": 1}, "think": false}));
        merge(&mut body, &added).expect("no conflict");
        assert_eq!(body, json!({"model": "m", "options": {"temperature": 0.0, "top_k": 1}, "think": false}));
        let added = members(json!({"options": {"temperature": 1}}));
        assert!(merge(&mut body, &added).unwrap_err().to_string().contains("options.temperature"));
    }
}
