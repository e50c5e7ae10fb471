//! Tests logs of Inspect in harmful archives, whose entries have equal names, unpack to very many bytes, or
//! overlap.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::archive::{self, Packed};
use super::bounded::run;

fn imported(archive: &[u8]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("log.eval"), archive).expect("a file");
    let import = ["scores", "import", "log.eval", "--n-items", "capitals=4", "-o", "out.csv"];
    let ended = run(folder.path(), &import).orderly("import");
    (ended.code, ended.stderr)
}

fn refuses(archive: &[u8], says: &str) {
    let (code, stderr) = imported(archive);
    assert!(code == Some(1) && stderr.contains(says), "{stderr}");
}

/// A log without samples.
fn header(blanks: usize) -> Vec<u8> {
    let log = serde_json::json!({
        "version": 2, "status": "success",
        "eval": {"task": "capitals", "model": "openai/m", "created": "2025-01-01T00:00:00+00:00",
                 "task_args": {"shots": 0}},
        "results": {"scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.5}}}]},
    });
    [" ".repeat(blanks).into_bytes(), log.to_string().into_bytes()].concat()
}

fn deflated<'a>(name: &'a str, data: &[u8]) -> Packed<'a> {
    let mut encoder = DeflateEncoder::new(vec![], Compression::best());
    encoder.write_all(data).expect("memory");
    let bytes = encoder.finish().expect("memory");
    Packed { name, method: 8, bytes, size: data.len() as u32, crc: crc32fast::hash(data) }
}

#[test]
fn entries_of_one_name_are_refused() {
    let one = header(0);
    let twice = archive::stored(&[("header.json", &one), ("header.json", &one)]);
    refuses(&twice, "two entries have the same name");
    let other =
        archive::stored(&[("header.json", &one), ("samples/a.json", b"{}"), ("samples/a.json", b"{}")]);
    refuses(&other, "two entries have the same name");
}

#[test]
fn entries_that_unpack_to_much_more_are_refused() {
    let small = archive::packed(&[deflated("header.json", &header(10_000))]);
    let (code, stderr) = imported(&small);
    assert!(code == Some(0), "{stderr}");
    let large = archive::packed(&[deflated("header.json", &header(64 << 20))]);
    refuses(&large, "the limit of 1000 times");
    let zeros: String = (0..11_000).map(|at| format!("{at},{}", "0,".repeat(1000))).collect();
    let zeros = format!("{{\"output\": [{zeros}0]}}");
    let zeros = deflated("samples/a.json", zeros.as_bytes());
    refuses(&archive::packed(&[deflated("header.json", &header(0)), zeros]), "more than 8 per byte");
    let names: Vec<String> = (0..10).map(|at| format!("samples/{at}.json")).collect();
    let mut entries = vec![deflated("header.json", &header(0))];
    let text: String = (0..11_000).map(|at| format!("{at:08}{}", "a".repeat(8000))).collect();
    let text = format!("{{\"output\": \"{text}\"}}");
    let one = deflated("", text.as_bytes());
    entries.extend(names.iter().map(|name| Packed { name, bytes: one.bytes.clone(), ..one }));
    refuses(&archive::packed(&entries), "100 times its size");
    let mut claims = deflated("header.json", &header(0));
    claims.bytes.resize(4 << 20, 0);
    claims.size = u32::MAX - 1;
    refuses(&archive::packed(&[claims]), "of 536870912 bytes");
}

#[test]
fn entries_that_share_their_bytes_are_refused() {
    let one = archive::stored(&[("header.json", &header(1000))]);
    let find = |mark: &[u8]| one.windows(4).position(|bytes| bytes == mark).expect("a mark");
    let (directory, end) = (find(b"PK\x01\x02"), find(b"PK\x05\x06"));
    let (own, mut other) = (&one[directory..end], one[directory..end].to_vec());
    let at = other.len() - "header.json".len();
    other[at..].copy_from_slice(b"sample.json");
    let size = (2 * own.len() as u32).to_le_bytes();
    let mut tail = one[end..].to_vec();
    tail[8..10].copy_from_slice(&[2, 0]);
    tail[10..12].copy_from_slice(&[2, 0]);
    tail[12..16].copy_from_slice(&size);
    refuses(&[&one[..directory], own, &other, &tail].concat(), "entries overlap");
}
