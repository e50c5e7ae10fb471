//! Copies the settings of a run that cannot contain an API key, and reports the names of the other settings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::is_suspect;

/// A setting whose name contains one of these texts may contain a key, a path or the name of a person, so it
/// is not copied.
static PRIVATE: &[&str] = &[
    "api",
    "auth",
    "base_url",
    "command",
    "created_by",
    "credential",
    "endpoint",
    "header",
    "host",
    "key",
    "passw",
    "private",
    "secret",
    "token",
    "url",
    "user",
];

/// Maximum length of a copied value, in bytes.
const LONGEST: usize = 200;

/// The copied settings of one file, and the names of the settings that are left out.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) kept: BTreeMap<String, String>,
    pub(super) left_out: Vec<String>,
}

impl Settings {
    /// Copies a setting if its value is a number, a boolean or a short string and cannot contain a key.
    /// Otherwise, records its name. Ignores missing and empty settings.
    pub(super) fn add(&mut self, name: &str, value: &Value) {
        let text = match value {
            Value::Null => return,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(text) if text.is_empty() => return,
            Value::String(text) => text.clone(),
            Value::Array(list) if list.is_empty() => return,
            Value::Object(members) if members.is_empty() => return,
            Value::Array(_) | Value::Object(_) => return self.leave_out(name),
        };
        let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
        let is_limit = last.contains("tokens") && value.is_number();
        let is_private = PRIVATE.iter().any(|part| last.contains(part)) && !is_limit;
        if is_private || text.len() > LONGEST || is_suspect(&text) {
            return self.leave_out(name);
        }
        self.kept.insert(name.into(), text);
    }

    /// Adds each member of an object as a setting, with a prefix before its name.
    pub(super) fn add_all(&mut self, prefix: &str, value: &Value) {
        for (name, value) in value.as_object().into_iter().flatten() {
            self.add(&format!("{prefix}.{name}"), value);
        }
    }

    fn leave_out(&mut self, name: &str) {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let is_plain = name.len() <= 64 && name.bytes().all(is_name) && !is_suspect(name);
        self.left_out.push(if is_plain {
            name.into()
        } else {
            "a member whose name may contain a key".into()
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_hold_a_key_is_left_out_by_name() {
        let mut settings = Settings::default();
        settings.add_all(
            "args",
            &json!({"seed": 1, "api_key": "x", "max_tokens": 5, "token": "x", "model_path": "m",
                    "note": "sk-0123456789abcdef0123", "headers": {"a": 1}, "none": null, "empty": {}}),
        );
        assert_eq!(
            settings.kept.keys().collect::<Vec<_>>(),
            ["args.max_tokens", "args.model_path", "args.seed"]
        );
        assert_eq!(settings.left_out, ["args.api_key", "args.headers", "args.note", "args.token"]);
    }
}
