//! Tests the width of lines and the length of files.

use std::path::{Path, PathBuf};

/// Maximum number of characters in a line, for code, comments and strings. `rustfmt` breaks only code.
const WIDEST: usize = 110;
/// Maximum number of lines in a file.
const LONGEST: usize = 400;
/// The median length of the files of `src` is below this.
const MEDIAN: usize = 150;

/// Every `.rs` file below a folder, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, |path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Source files in any language. Files without an extension are scripts if they begin with `#!`.
fn is_source(path: &Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs" | "py" | "sh") => true,
        Some(_) => false,
        None => std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!")),
    }
}

/// The selected files below a folder, sorted.
fn files(folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if is_wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "examples", "benches", "scripts", ".ci"];
    // The published package has no `.ci`.
    let there = folders.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir());
    let files = there.flat_map(|folder| files(&folder, is_source));
    files.map(|file| (file.clone(), std::fs::read_to_string(&file).expect("a source file"))).collect()
}

#[test]
fn no_line_is_wider_than_the_limit() {
    let rustfmt = Path::new(env!("CARGO_MANIFEST_DIR")).join("rustfmt.toml");
    let rustfmt = std::fs::read_to_string(rustfmt).expect("rustfmt.toml");
    assert!(rustfmt.lines().any(|line| line == format!("max_width = {WIDEST}")), "{rustfmt}");
    let wide: Vec<String> = all()
        .iter()
        .flat_map(|(file, text)| {
            let lines = (1..).zip(text.lines()).filter(|(_, line)| line.chars().count() > WIDEST);
            lines.map(|(number, _)| format!("{}:{number}", file.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(wide.is_empty(), "lines of more than {WIDEST} characters:\n{}", wide.join("\n"));
}

#[test]
fn no_file_is_longer_than_the_limit_and_half_are_short() {
    let files: Vec<(PathBuf, usize)> =
        all().into_iter().map(|(file, text)| (file, text.lines().count())).collect();
    let long: Vec<String> = (files.iter().filter(|(_, lines)| *lines > LONGEST))
        .map(|(file, lines)| format!("{}: {lines}", file.display()))
        .collect();
    assert!(long.is_empty(), "files of more than {LONGEST} lines:\n{}", long.join("\n"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lengths: Vec<usize> =
        files.iter().filter(|(file, _)| file.starts_with(&root)).map(|(_, lines)| *lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < MEDIAN, "the median file of src has {median} lines; it must have fewer than {MEDIAN}");
}
