//! Tests that only `disk` writes JSON and CSV, because it checks the numbers. Other writers would turn NaN
//! and infinity into an empty value or a word.

use std::path::Path;

use super::limits::rust_files;
use super::tokens::tokens;

/// Files that write JSON or CSV themselves, and the reason.
const ELSEWHERE: [(&str, &str); 6] = [
    ("disk/rows.rs", "checks the numbers"),
    ("collect/journal/record.rs", "checks the numbers, and adds a checksum"),
    ("provider/request.rs", "bodies of requests, whose values contain no NaN"),
    ("cli/mi.rs", "infinite information is null, as documented"),
    ("calibration/card/calibrate.rs", "hashes names of columns"),
    ("collect/run.rs", "searches a text for the key"),
];
/// Functions of serde_json that serialise a value.
const WRITES: [&str; 6] =
    ["to_vec", "to_vec_pretty", "to_string", "to_string_pretty", "to_writer", "to_writer_pretty"];

fn writes(text: &str) -> bool {
    tokens(text).windows(3).any(|three| {
        let [module, sign, name] = three else { return false };
        let (module, name) = (module.as_str(), name.as_str());
        let is_json = module == "serde_json" && WRITES.contains(&name);
        sign == "::" && (is_json || module == "csv" && ["Writer", "WriterBuilder"].contains(&name))
    })
}

#[test]
fn json_and_csv_are_written_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<String> = vec![];
    for file in rust_files(&root) {
        if writes(&std::fs::read_to_string(&file).expect("a source file")) {
            found.push(file.strip_prefix(&root).expect("below src").display().to_string());
        }
    }
    let mut known = ELSEWHERE.map(|(file, _)| file.to_owned()).to_vec();
    known.sort();
    assert_eq!(found, known, "write with `disk::json_bytes`, `disk::csv_bytes` or `disk::CsvRows`");
}

#[test]
fn a_writer_is_found_only_in_code() {
    assert!(writes("fn f() { let x = serde_json::to_vec(&1); }"));
    assert!(writes("struct S(csv::Writer<Vec<u8>>);"));
    assert!(!writes("// csv::Writer\nfn f() { serde_json::from_slice(b\"1\") }"));
}
