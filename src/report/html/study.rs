//! Makes the section on the study or blind test: settings, models, targets and tasks.

use serde_json::{Map, Value, json};

use super::data::{PageTable, cut};
use super::folder::ResultFiles;
use super::limits::Limits;
use super::sources::Sources;

/// Maximum bytes of one setting.
const LONGEST_VALUE: usize = 500;
/// Maximum number of settings.
const MOST_FACTS: usize = 120;

/// Makes the title of the page, and the section on the study or blind test.
pub(super) fn study(
    files: &ResultFiles,
    sources: &Sources,
    limits: &Limits,
    folder_name: &str,
) -> (String, Value) {
    let study = files.study.as_ref().and_then(|path| sources.json(path)).unwrap_or_default();
    let blind = files.blind_settings.as_ref().and_then(|path| sources.json(path)).unwrap_or_default();
    let text = files.study_text.as_ref().and_then(|path| sources.bytes(path));
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut facts = vec![];
    for name in ["name", "study_sha256", "seed", "tool_version", "spent_usd"] {
        facts.extend(
            study.get(name).filter(|value| !value.is_null()).map(|value| json!([name, shown(value)])),
        );
    }
    let schema = study.get("schema").or(blind.get("schema"));
    let version = schema.and_then(|schema| schema.get("tool_version"));
    let version = version.filter(|_| study.get("tool_version").is_none());
    facts.extend(version.map(|version| json!(["tool_version", shown(version)])));
    for settings in [study.get("settings"), blind.get("settings")].into_iter().flatten() {
        flatten("", settings, &mut facts);
    }
    facts.truncate(MOST_FACTS);
    let mut tables = vec![];
    let known = [("models", &study["models"]), ("targets", &study["targets"]), ("tasks", &study["tasks"])];
    for (name, rows) in known.into_iter().chain([("members", &blind["members"])]) {
        let Some(table) = objects(name, rows) else { continue };
        let file = if name == "members" { "settings.json" } else { "study.json" };
        tables.push(json!({"title": name, "table": table.within(limits.study_table, file).json()}));
    }
    let title = study.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let title = cut(title.unwrap_or(folder_name), 200);
    let text = text.map(|text| cut(&text, limits.study_text));
    (title, json!({"facts": facts, "tables": tables, "text": text}))
}

/// Flattens nested settings to pairs of a dotted name and a text.
fn flatten(name: &str, value: &Value, facts: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(&name, value, facts);
            }
        }
        Value::Null => {}
        other => facts.push(json!([cut(name, 100), shown(other)])),
    }
}

/// Formats a value as text: lists with commas, nested values as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, LONGEST_VALUE),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            cut(&items.iter().map(shown).collect::<Vec<_>>().join(", "), LONGEST_VALUE)
        }
        other => cut(&other.to_string(), LONGEST_VALUE),
    }
}

/// Converts a list of objects to a table with all their fields, in order of first occurrence.
fn objects(name: &'static str, rows: &Value) -> Option<PageTable> {
    let rows: Vec<&Map<String, Value>> = rows.as_array()?.iter().filter_map(Value::as_object).collect();
    let mut columns: Vec<String> = vec![];
    for field in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(field) {
            columns.push(field.clone());
        }
    }
    // Put the column `id` first.
    columns.sort_by_key(|column| column != "id");
    let cell = |row: &Map<String, Value>, column: &String| match row.get(column) {
        None | Some(Value::Null) => Value::Null,
        Some(value @ (Value::Number(_) | Value::String(_))) => value.clone(),
        Some(other) => json!(shown(other)),
    };
    let cells = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect());
    let cells: Vec<Vec<Value>> = cells.collect();
    (!cells.is_empty()).then(|| PageTable::of(name, columns, cells))
}
