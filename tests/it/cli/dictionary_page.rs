//! Tests that docs/data-dictionary.md and `surmise list columns` match the dictionary. `SURMISE_WRITE_DOCS=1
//! cargo test --release --test it dictionary_page` writes the page.

use std::path::Path;

use surmise::dictionary::{entries, markdown};

use super::command::{done, rows};

const PLACE: &str = "<!-- tables -->\n";

#[test]
fn the_page_matches_the_dictionary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/data-dictionary.md");
    let written = std::fs::read_to_string(&path).expect("docs/data-dictionary.md");
    let (before, _) = written.split_once(PLACE).expect("the place of the tables");
    let page = format!("{before}{PLACE}\n{}", markdown());
    if std::env::var_os("SURMISE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/data-dictionary.md");
    }
    assert!(page == written, "docs/data-dictionary.md differs from the dictionary; write it again");
}

#[test]
fn every_link_of_the_page_leads_to_a_heading() {
    let page = markdown();
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    let headings: Vec<String> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(anchor).collect();
    let links: Vec<&str> = page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 100);
    for link in links {
        assert_eq!(headings.iter().filter(|heading| *heading == link).count(), 1, "{link}");
    }
}

#[test]
fn the_listing_has_every_column() {
    let listed = rows(&done(&["list", "columns", "--csv"]));
    assert_eq!(listed.len(), entries().iter().filter(|entry| !entry.is_table()).count());
    let share = listed
        .iter()
        .find(|row| row["table"].starts_with("profiles.csv (sem") && row["name"] == "macro_share");
    assert_eq!(share.expect("a row")["unit"], "share of log 2");
}
