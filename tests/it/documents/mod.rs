//! Tests of README.md and docs/: links, generated tables, and the commands of the tutorial.

mod links;
mod markdown;
mod tables;
#[cfg(unix)]
mod tutorial;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file below docs/, sorted.
fn pages() -> Vec<PathBuf> {
    let (mut pages, mut open) = (vec![], vec![root().join("docs")]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}
