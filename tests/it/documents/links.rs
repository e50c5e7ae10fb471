//! Tests that every relative link has a target, on a forge and in the book, that every page is in the book,
//! and that README.md is short.

use std::path::{Component, Path, PathBuf};

use super::markdown::{anchors, links, parts};
use super::{pages, root};

/// Documents outside docs/.
const OTHERS: [&str; 6] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "calibration/README.md",
    "data/README.md",
];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Describes what is wrong with a link of a page; `None` if the link is valid.
fn fault(page: &Path, link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() {
        page.to_path_buf()
    } else {
        plain(&page.parent().expect("a folder").join(file))
    };
    let docs = root().join("docs");
    if page.starts_with(&docs) && !target.starts_with(&docs) {
        return Some("leaves docs/, which the book cannot follow".into());
    }
    if !target.exists() {
        return Some("no such file".into());
    }
    let is_missing = |anchor: &str| !anchors(&read(&target)).iter().any(|there| there == anchor);
    anchor.filter(|anchor| is_missing(anchor)).map(|_| "no such heading".into())
}

#[test]
fn every_relative_link_has_a_target() {
    let documents = OTHERS.iter().map(|name| root().join(name)).chain(pages());
    let (mut n, mut faults) = (0, vec![]);
    for page in documents {
        for link in links(&read(&page)) {
            n += 1;
            faults.extend(fault(&page, &link).map(|why| format!("{}: {link}: {why}", page.display())));
        }
    }
    assert!(n > 100, "only {n} links were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_is_in_the_summary_once() {
    let docs = root().join("docs");
    let summary = docs.join("SUMMARY.md");
    let mut listed: Vec<PathBuf> = links(&read(&summary)).iter().map(|link| docs.join(link)).collect();
    listed.sort();
    let pages: Vec<PathBuf> = pages().into_iter().filter(|page| *page != summary).collect();
    assert_eq!(listed, pages);
}

#[test]
fn the_readme_is_short_and_has_its_two_commands() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    let is_wide = |line: &&str| {
        let is_free = line.starts_with('|') || line.contains("](");
        !is_free && line.chars().count() > 110
    };
    let wide: Vec<&str> = readme.lines().filter(is_wide).collect();
    assert!(wide.is_empty(), "{wide:?}");
    let commands: Vec<String> = parts(&readme).1.into_iter().flat_map(|block| block.lines).collect();
    for command in ["$ cargo run --release", "$ cargo test --release"] {
        assert!(commands.iter().any(|line| line.starts_with(command)), "{command}");
    }
}
