//! Checks that every member of a JSON value is in the dictionary.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::entry::{Entry, entries};

/// The entries of each table, and the entries that were looked up.
#[derive(Debug)]
pub struct Members {
    tables: BTreeMap<String, Vec<Entry>>,
    seen: BTreeSet<(String, String)>,
}

impl Default for Members {
    fn default() -> Self {
        let mut tables: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries() {
            tables.entry(entry.table.clone()).or_default().push(entry);
        }
        Self { tables, seen: BTreeSet::new() }
    }
}

impl Members {
    /// Looks up every member of an object, including nested objects.
    ///
    /// # Errors
    /// Returns the path of the first member that is not in the dictionary, or that contains objects which the
    /// dictionary does not describe.
    pub fn check(&mut self, table: &str, value: &Value) -> Result<(), String> {
        let Value::Object(members) = value else { return Err(format!("{table} is not an object")) };
        for (name, value) in members {
            let of_table = self.tables.get(table).map_or(&[][..], Vec::as_slice);
            let entry = of_table.iter().find(|entry| !entry.is_table() && entry.is_named(name));
            let Some(entry) = entry else { return Err(format!("`{name}` ({table})")) };
            let holds = entry.holds.clone();
            self.seen.insert((table.to_owned(), entry.name.clone()));
            let within = |path: String| format!("`{name}` > {path}");
            match (holds.as_str(), value) {
                ("*", _) => {}
                (holds, Value::Object(free)) if holds.starts_with("* ") => {
                    free.values().try_for_each(|value| self.objects(&holds[2..], value)).map_err(within)?;
                }
                (holds, value) => self.objects(holds, value).map_err(within)?,
            }
        }
        Ok(())
    }

    /// Looks up the objects inside a value. Numbers and strings need no entry.
    fn objects(&mut self, table: &str, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.objects(table, item)),
            Value::Object(_) if table.is_empty() => Err("an object".into()),
            Value::Object(_) => self.check(table, value),
            _ => Ok(()),
        }
    }

    /// Looks up the columns of a CSV file.
    ///
    /// # Errors
    /// Returns the first column that is not in the dictionary.
    pub fn check_columns<'a>(
        &mut self,
        table: &str,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), String> {
        for column in columns {
            let of_table = self.tables.get(table).map_or(&[][..], Vec::as_slice);
            let entry = of_table.iter().find(|entry| !entry.is_table() && entry.is_named(column));
            let Some(entry) = entry else { return Err(format!("`{column}` ({table})")) };
            self.seen.insert((table.to_owned(), entry.name.clone()));
        }
        Ok(())
    }

    /// The entries that were never looked up, as pairs of table and name.
    pub fn unseen(&self) -> Vec<(String, String)> {
        let all = self.tables.values().flatten().filter(|entry| !entry.is_table());
        let all = all.map(|entry| (entry.table.clone(), entry.name.clone()));
        all.filter(|pair| !self.seen.contains(pair)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_not_described_are_named() {
        let mut members = Members::default();
        let head = json!({"name": "x", "version": 1, "tool_version": "0"});
        assert_eq!(members.check("schema", &head), Ok(()));
        assert_eq!(members.check("schema", &json!({"nam": "x"})), Err("`nam` (schema)".into()));
        let summary = json!({"schema": head, "outcomes": {"answered": 3}, "routes": {"direct": {"n": 1}}});
        assert_eq!(members.check("summary.json", &summary), Err("`routes` > `n` (route)".into()));
        assert_eq!(members.check("route", &json!({"spent_usd": {}})), Err("`spent_usd` > an object".into()));
        assert_eq!(members.check_columns("gains.csv", ["task", "gain"]), Ok(()));
        assert!(members.check_columns("gains.csv", ["loss"]).is_err());
        let unseen = members.unseen();
        assert!(unseen.contains(&("gains.csv".into(), "n_pairs".into())));
        assert!(!unseen.contains(&("gains.csv".into(), "gain".into())));
    }
}
