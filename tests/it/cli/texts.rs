//! Tests commands on texts through the real binary: profiles by position with their control, comparisons of
//! groups with a known truth, and invalid files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::support::truth::generator;

type Row = BTreeMap<String, String>;

fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

fn rows(output: &Output) -> Vec<Row> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    csv::Reader::from_reader(output.stdout.as_slice()).deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

/// The words of a category that are one token in the embedded models.
fn words(category: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/{category}.csv"));
    let mut reader = csv::Reader::from_path(path).expect("a category");
    let entities = reader.records().map(|row| row.expect("a row")[0].to_owned());
    entities.filter(|entity| !entity.contains(' ')).collect()
}

/// A sentence of `n` random words, whose order carries no information.
fn random(words: &[String], n: usize, rng: &mut ChaCha8Rng) -> Vec<String> {
    (0..n).map(|_| words[rng.random_range(0..words.len())].clone()).collect()
}

/// A CSV file of groups and texts.
fn put(path: &Path, texts: &[(&str, Vec<String>)]) {
    let mut writer = csv::Writer::from_path(path).expect("a file");
    writer.write_record(["group", "text"]).expect("a header");
    for (group, words) in texts {
        writer.write_record([group, words.join(" ").as_str()]).expect("a row");
    }
    writer.flush().expect("a file");
}

#[test]
fn texts_are_measured_at_every_position_with_their_shuffled_control() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.csv");
    let (animals, mut rng) = (words("animals"), generator(1));
    let texts: Vec<_> = (0..150).map(|_| ("x", random(&animals, 9, &mut rng))).collect();
    put(&file, &texts);
    let file = file.to_str().expect("UTF-8");
    let of = |flags: &[&str]| {
        surmise(
            &[
                &["measure", "--estimand=positional", "minillama-3", "--texts", file, "--window-tokens", "8"],
                flags,
            ]
            .concat(),
        )
    };
    let output = of(&[]);
    assert_eq!(of(&["--threads", "1"]).stdout, output.stdout);
    let table = rows(&output);
    // 3 blocks, 8 positions, 4 noise scales, each for the texts and for the control.
    assert_eq!(table.len(), 3 * 8 * 4 * 2);
    for row in &table {
        assert_eq!(
            (row["role"].as_str(), row["corpus"].as_str(), row["n_windows"].as_str()),
            ("text", "t.x", "150")
        );
        assert_eq!(number(row, "position") + 1.0, number(row, "reading_index"));
        assert!(row["control"].is_empty() || row["control"] == "shuffled");
        let emergence = number(row, "macro_mi_nats") - number(row, "micro_mi_nats");
        assert!((emergence - number(row, "emergence_nats")).abs() < 1e-12);
    }
    // The control has the same tokens, so the information of single tokens is the same up to noise.
    let (texts, control): (Vec<_>, Vec<_>) = table.iter().partition(|row| row["control"].is_empty());
    for (ours, theirs) in texts.iter().zip(&control) {
        let noise = number(ours, "micro_stderr_nats").hypot(number(theirs, "micro_stderr_nats"));
        assert!((number(ours, "micro_mi_nats") - number(theirs, "micro_mi_nats")).abs() < 4.0 * noise + 1e-3);
    }
    // The order of random words carries no information: the control has the same values up to chance, at
    // every block and position.
    let differences: Vec<f64> = texts
        .iter()
        .zip(&control)
        .filter(|(a, _)| a["noise_scale"] == "0.4")
        .map(|(a, b)| {
            (number(a, "emergence_nats") - number(b, "emergence_nats"))
                / (number(a, "macro_stderr_nats").hypot(number(b, "macro_stderr_nats"))).max(0.02)
        })
        .collect();
    assert!(differences.iter().all(|z| z.abs() < 5.0), "{differences:?}");
    assert!(rows(&of(&["--control", "none"])).len() == 3 * 8 * 4);
}

#[test]
fn a_smaller_vocabulary_differs_only_in_diversity_and_sorted_words_differ_beyond_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("t.csv");
    let (animals, mut rng) = (words("animals"), generator(2));
    let mut texts = vec![];
    for _ in 0..120 {
        texts.push(("few", random(&animals[..8], 8, &mut rng)));
        texts.push(("many", random(&animals, 8, &mut rng)));
        texts.push(("more", random(&animals, 8, &mut rng)));
        // In group `sorted`, the words are random and in alphabetical order. Group `unsorted` has the same
        // words in random order.
        let mut sorted = random(&animals, 8, &mut rng);
        sorted.sort();
        texts.push(("sorted", sorted.clone()));
        sorted.shuffle(&mut rng);
        texts.push(("unsorted", sorted));
    }
    put(&file, &texts);
    let file = file.to_str().expect("UTF-8");
    let all = ["compare", "minigpt-3", "--texts", file, "--window-tokens", "8", "--permutations", "59"];
    let output = surmise(&all);
    let table = rows(&output);
    assert_eq!(table.len(), 10 * 2);
    assert_eq!(surmise(&[&all[..], &["--threads", "1"]].concat()).stdout, output.stdout);
    let pair = |a: &str, b: &str| {
        let of = |row: &&Row| row["group_a"] == format!("t.{a}") && row["group_b"] == format!("t.{b}");
        let rows: Vec<&Row> = table.iter().filter(of).collect();
        assert_eq!(rows.len(), 2);
        (rows[0], rows[1])
    };
    let (raw, beside) = pair("few", "many");
    assert!(number(raw, "p_value") <= 0.05 && number(raw, "effect_size").abs() > 0.2, "{raw:?}");
    assert!(number(beside, "p_value") > 0.05, "{beside:?}");
    assert_eq!(raw["verdict"], "diversity_only");
    assert!(
        number(raw, "token_entropy_a_nats") < 8f64.ln() + 0.01 && number(raw, "token_entropy_b_nats") > 4.0
    );
    let (raw, beside) = pair("many", "more");
    assert!(number(raw, "p_value") > 0.05 && number(beside, "p_value") > 0.05, "{raw:?} {beside:?}");
    assert_eq!(raw["verdict"], "no_difference");
    let (raw, beside) = pair("sorted", "unsorted");
    assert!((number(raw, "token_entropy_a_nats") - number(raw, "token_entropy_b_nats")).abs() < 1e-9);
    assert!(number(beside, "p_value") <= 0.05, "{beside:?}");
    // Holm's correction never decreases a p-value.
    assert!(table.iter().all(|row| number(row, "p_holm") >= number(row, "p_value")));
    let against = surmise(&[&all[..], &["--reference", "t.many"]].concat());
    let against = rows(&against);
    assert_eq!(against.len(), 4 * 2);
    assert!(against.iter().all(|row| row["group_b"] == "t.many"));
}

#[test]
fn invalid_files_of_texts_are_named_with_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |name: &str, bytes: &[u8], flags: &[&str], code: i32, says: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let out = folder.path().join("out");
        let (path, out) = (path.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
        let output = surmise(
            &[&["measure", "--estimand=positional", "minigpt-1", "--texts", path, "-o", out], flags].concat(),
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {stderr}");
        assert!(output.stdout.is_empty());
        says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in {stderr}"));
        let made: Vec<_> =
            std::fs::read_dir(out).map(|entries| entries.flatten().collect()).unwrap_or_default();
        assert!(made.is_empty(), "{made:?}");
    };
    refused("a.csv", b"text\nthe cow\n\"\"\n", &[], 1, &["a.csv, line 3", "is empty", "remove the row"]);
    refused(
        "a.jsonl",
        b"{\"text\": \"the cow\"}\n{\"text\": \"cow\"}\n",
        &[],
        1,
        &["a.jsonl, line 2", "one word"],
    );
    refused("a.txt", b"the cow\nlives\xff", &[], 1, &["a.txt, line 2", "not UTF-8"]);
    refused("a.csv", b"body\nthe cow\n", &[], 1, &["a.csv, line 1", "no column `text`", "--text-column"]);
    refused("a.txt", b"", &[], 1, &["a.txt", "contains no texts"]);
    let short = b"the cow lives in the forest . the cow has fur .";
    refused("a.txt", short, &[], 1, &["a.txt", "0 windows of 32 tokens", "has 12 tokens", "--window-tokens"]);
    refused("a.txt", short, &["--window-tokens", "1"], 2, &["--window-tokens must be at least 2"]);
    refused(
        "a.txt",
        b"the cow\n\nthe unheard cow lives",
        &[],
        1,
        &["a.txt, line 3", "has no token for", "unheard"],
    );
    let long = "the cow lives in the forest . ".repeat(40);
    refused(
        "a.txt",
        long.as_bytes(),
        &["--window-tokens", "80"],
        1,
        &["80 tokens", "64 positions", "--window-tokens"],
    );
    refused("a.txt", long.as_bytes(), &["--texts", "/no/such/file"], 1, &["/no/such/file"]);
    let output =
        surmise(&["compare", "minigpt-1", "--texts", folder.path().join("a.txt").to_str().expect("UTF-8")]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("--group-column"), "{stderr}");
}
