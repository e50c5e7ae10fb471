//! Compares or writes the tables of documents that the program generates. Each table is between `<!-- NAME
//! -->` and `<!-- end -->`.

use std::path::Path;

/// A Markdown table.
pub fn table<'a, R>(head: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = &'a str>,
{
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_row = row(head.iter().map(|cell| (*cell).to_owned()).collect());
    let line = head_row + &"|---".repeat(head.len()) + "|\n";
    rows.into_iter().fold(line, |text, cells| {
        text + &row(cells.into_iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect())
    })
}

/// Compares the tables of a page with `tables`. If `SURMISE_WRITE_DOCS` is set, as `scripts/docs` does,
/// writes the tables into the page instead.
pub fn check(page: &str, tables: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let written = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut text = written.clone();
    for (name, table) in tables {
        let begin = format!("<!-- {name} -->\n");
        let start = text.find(&begin).unwrap_or_else(|| panic!("{page} has no table `{name}`")) + begin.len();
        let stop = start + text[start..].find("<!-- end -->\n").expect("the end of a table");
        text.replace_range(start..stop, table);
    }
    if std::env::var_os("SURMISE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap_or_else(|error| panic!("{page}: {error}"));
    } else {
        assert!(text == written, "{page} does not have the tables of the program; run scripts/docs");
    }
}
