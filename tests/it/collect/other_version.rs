//! Journals of other versions of surmise.

use std::process::Command;

use surmise::Error;
use surmise::collect::journal::Journal;

use crate::support::collect_case::Case;
use crate::support::fault_server::Server;

/// A line of a journal with its checksum. `line` is a JSON object without its closing brace.
fn sealed(line: &str) -> String {
    format!("{line},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(line.as_bytes()))
}

#[test]
fn a_record_of_an_unknown_kind_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("journal.jsonl"), sealed("{\"record\":\"later\",\"x\":1"))
        .expect("a file");
    let opened = Journal::open(folder.path(), (true, false), |_| {});
    assert!(matches!(opened, Err(Error::Journal { line: 1, .. })));
}

#[test]
fn a_journal_of_another_version_is_refused_and_not_repaired() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    case.ends(0, &[]);
    let journal = case.file("journal.jsonl");
    let (first, rest) = journal.split_once('\n').expect("a line");
    let (line, _) = first.rsplit_once(",\"crc\"").expect("a checksum");
    let (before, after) = line.split_once("\"version\":").expect("a version");
    let later = sealed(&format!("{before}\"version\":9{after}")) + rest;
    std::fs::write(case.out().join("journal.jsonl"), &later).expect("a file");
    case.ends(2, &[]).says("use the version that wrote the journal");
    let mut repair = Command::new(env!("CARGO_BIN_EXE_surmise"));
    let repair = repair.args(["collect", "repair", "out"]).current_dir(case.folder.path()).output();
    let repair = repair.expect("the binary");
    assert_eq!(repair.status.code(), Some(2), "{repair:?}");
    assert_eq!(case.file("journal.jsonl"), later);
}
