//! Formats the dictionary as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::entry::{Entry, entries};

/// The tables of the page, as Markdown: files first, then the objects that JSON files contain.
pub fn markdown() -> String {
    let entries = entries();
    let tables: Vec<&Entry> = entries.iter().filter(|entry| entry.is_table()).collect();
    let is_object = |table: &&&Entry| table.unit == "object";
    let (objects, files): (Vec<&Entry>, Vec<&Entry>) = tables.iter().partition(is_object);
    let known: BTreeSet<&str> = tables.iter().map(|table| table.table.as_str()).collect();
    let mut text = String::from("## Files\n");
    for (heading, tables) in [("", files), ("\n## Objects in JSON files\n", objects)] {
        text.push_str(heading);
        let links: Vec<String> = tables.iter().map(|table| link(&table.table)).collect();
        let _ = writeln!(text, "\n{}", links.join(",\n"));
        for table in tables {
            let columns = entries.iter().filter(|entry| entry.table == table.table && !entry.is_table());
            let rows: String = columns.map(|entry| row(entry, &known)).collect();
            let Entry { table, unit, meaning, holds, .. } = table;
            let place = if holds.is_empty() { String::new() } else { format!(" {unit}: {holds}.") };
            let _ = write!(text, "\n### {table}\n\n{meaning}{place}\n\n| name | unit | meaning |\n");
            text.push_str("|---|---|---|\n");
            text.push_str(&rows);
        }
    }
    text
}

fn row(entry: &Entry, known: &BTreeSet<&str>) -> String {
    let Entry { name, unit, meaning, holds, .. } = entry;
    let object = holds.trim_start_matches("* ");
    let is_free = holds.starts_with('*');
    let meaning = match (known.contains(object), is_free) {
        (true, true) => format!("{meaning}; member names are arbitrary, each value is {}", link(object)),
        (true, false) => format!("{meaning}: {}", link(object)),
        (false, true) => format!("{meaning}; member names are arbitrary"),
        (false, false) => meaning.clone(),
    };
    format!("| `{name}` | {unit} | {} |\n", meaning.replace('|', "\\|"))
}

/// A link to the heading of a table, with the anchor that GitHub and mdBook generate.
fn link(table: &str) -> String {
    let kept = table.to_lowercase().replace(' ', "-");
    let anchor: String = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    format!("[{table}](#{anchor})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_described_once_and_used() {
        let entries = entries();
        let tables: Vec<&Entry> = entries.iter().filter(|entry| entry.is_table()).collect();
        for entry in entries.iter().filter(|entry| !entry.is_table()) {
            let object = entry.holds.trim_start_matches('*').trim();
            let n = tables.iter().filter(|table| table.table == object).count();
            assert!(object.is_empty() || n == 1, "{}: {} holds {object}", entry.table, entry.name);
            assert!(!entry.meaning.is_empty(), "{}: {}", entry.table, entry.name);
        }
        for object in tables.iter().filter(|table| table.unit == "object") {
            let is_used = |entry: &Entry| entry.holds.trim_start_matches("* ") == object.table;
            let is_used = entries.iter().any(|entry| !entry.is_table() && is_used(entry));
            // No member contains the object `estimate`, because `mi` writes its members at the top level.
            assert!(is_used || object.table == "estimate", "no member holds {}", object.table);
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        let entry = |name: &str| Entry {
            table: String::new(),
            name: name.into(),
            unit: String::new(),
            meaning: String::new(),
            holds: String::new(),
        };
        assert!(entry("score_*_logit").is_named("score_arc_easy_logit"));
        assert!(!entry("score_*_logit").is_named("score_logit") && !entry("a").is_named("ab"));
        assert_eq!(link("profiles.csv (semantic)"), "[profiles.csv (semantic)](#profilescsv-semantic)");
    }
}
