//! Tests PyTorch archives whose pickles describe more values than the file contains.

use std::path::Path;

use super::archive;
use super::bounded::run;

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn int(number: i64) -> Vec<u8> {
    [&b"\x8a\x08"[..], &number.to_le_bytes()].concat()
}

/// A tensor of some class and shape in the storage `k`.
fn tensor(class: &str, shape: &[i64]) -> Vec<u8> {
    let numbers = |numbers: &[i64]| numbers.iter().flat_map(|number| int(*number)).collect::<Vec<u8>>();
    let mut strides: Vec<i64> = vec![1; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at].saturating_mul(shape[at]);
    }
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n(("[..],
        &text("storage"),
        format!("ctorch\n{class}\n").as_bytes(),
        &text("k"),
        &text("cpu"),
        &int(1),
        b"tQ",
        &int(0),
        b"(",
        &numbers(shape),
        b"t(",
        &numbers(&strides),
        b"t\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

fn pickle(items: &[u8]) -> Vec<u8> {
    [&b"\x80\x02}("[..], items, b"u."].concat()
}

#[test]
fn token_ids_beyond_their_file_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for shape in [[1 << 20, 1 << 20], [1 << 30, 1 << 30], [1 << 62, 4], [3, 3]] {
        let items = [text("input_ids"), tensor("I64Storage", &shape)].concat();
        let entries: [(&str, &[u8]); 2] = [("a/data.pkl", &pickle(&items)), ("a/data/k", &[0; 64])];
        std::fs::write(folder.path().join("ids.bin"), archive::stored(&entries)).expect("a file");
        let ended = run(folder.path(), &["states", "minigpt-1", "--tokens", "ids.bin", "-q", "-o", "o.st"]);
        let ended = ended.orderly(&format!("{shape:?}"));
        let reasons = ["has type I64Storage", "exceeds its storage"];
        let is_named = reasons.iter().any(|reason| ended.stderr.contains(reason));
        assert!(ended.code == Some(1) && is_named, "{shape:?}: {}", ended.stderr);
    }
}

#[test]
fn a_duplicate_name_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama-gqa");
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).expect("a file");
    }
    let one = [text("w"), tensor("FloatStorage", &[2])].concat();
    let weights = folder.path().join("pytorch_model.bin");
    let twice = pickle(&one.repeat(2));
    // Two hundred thousand tensors share the storage of one value.
    let head = [&b"\x80\x02"[..], &text(&"n".repeat(500)), b"q\x00", b"0"].concat();
    let head = [&head[..], &tensor("FloatStorage", &[1; 8]), b"q\x01", b"0}("].concat();
    let many = [&head[..], &b"h\x00h\x01".repeat(200_000), b"u."].concat();
    let (once, zeros, ones) = (pickle(&one), [0; 64], [1; 64]);
    type Case<'a> = (&'a [(&'a str, &'a [u8])], &'a str);
    let cases: [Case; 3] = [
        (&[("a/data.pkl", &twice), ("a/data/k", &zeros)], "`w` twice"),
        (&[("a/data.pkl", &many), ("a/data/k", &zeros)], "twice"),
        (&[("a/data.pkl", &once), ("a/data/k", &zeros), ("a/data/k", &ones)], "the same name"),
    ];
    for (entries, says) in cases {
        std::fs::write(&weights, archive::stored(entries)).expect("a file");
        let ended = run(folder.path(), &["model", "."]).orderly(says);
        assert!(ended.code == Some(1) && ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn what_a_pickle_makes_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama-gqa");
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).expect("a file");
    }
    // Millions of names whose parts refer to one stored text. Copies of this text for every name would take
    // far more memory than the file.
    let name = [&b"\x80\x02"[..], &text(&"n".repeat(510)), b"q\x000"].concat();
    let names = [&name[..], &b"h\x00h\x00\x93".repeat(4_500_000), b"."].concat();
    let nothings = [&b"\x80\x02"[..], &vec![b'N'; 60 << 20], b"."].concat();
    let memo = [&b"\x80\x02N"[..], &vec![0x94; 60 << 20], b"."].concat();
    let large = vec![b'N'; 70 << 20];
    for (pickle, says) in [
        (names, "more than 4194304 values"),
        (nothings, "more than 4194304 values"),
        (memo, "more than 4194304 values"),
        (large, "exceeds the limit of 67108864"),
    ] {
        let entries: [(&str, &[u8]); 1] = [("a/data.pkl", &pickle)];
        std::fs::write(folder.path().join("pytorch_model.bin"), archive::stored(&entries)).expect("a file");
        let ended = run(folder.path(), &["model", "."]).orderly(says);
        assert!(ended.code == Some(1) && ended.stderr.contains(says), "{}", ended.stderr);
    }
}
