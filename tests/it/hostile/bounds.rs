//! Tests flags with numbers at the limits of their types. Each number is refused, or handled within the
//! limits of memory and time.

use super::bounded::run;

const NUMBERS: [&str; 8] =
    ["0", "-1", "NaN", "inf", "1e308", "4294967295", "18446744073709551615", "100000000000"];

/// Runs a command with one flag at each of the numbers. A refusal must have an error message.
fn at_each(verb: &[&str], flags: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let items = "{\"id\": \"q\", \"prompt\": \"x\", \"answer\": \"y\"}\n";
    std::fs::write(folder.path().join("items.jsonl"), items).expect("a file");
    let rows: String = (0..60).map(|i| format!("{},{}\n", i * 7 % 13, i * 11 % 17)).collect();
    std::fs::write(folder.path().join("x.csv"), format!("a,b\n{rows}")).expect("a file");
    for flag in flags {
        for number in NUMBERS {
            // The number follows `=`, because `-1` as a separate argument would be a flag.
            let given = format!("{flag}={number}");
            let ended = run(folder.path(), &[verb, &[&given, "-q"]].concat());
            ended.orderly(&format!("{verb:?} {given}"));
        }
    }
}

const COLLECT: [&str; 12] = [
    "--provider",
    "openai-chat",
    "--base-url",
    "http://127.0.0.1:1",
    "--api-model",
    "m",
    "--no-budget",
    "--dry-run",
    "--max-tokens=9",
    "-o",
    "out",
    "--quiet",
];

#[test]
fn collections() {
    let flags = [
        "--items",
        "--shots",
        "--replicates",
        "--repeat-share",
        "--seed",
        "--concurrency",
        "--temperature",
        "--top-p",
        "--logprobs",
        "--retries",
        "--timeout-s",
        "--idle-timeout-s",
        "--max-wait-s",
        "--backoff-s",
        "--batch-size",
    ];
    at_each(&[&["collect", "completion"][..], &COLLECT[..11]].concat(), &flags);
    at_each(&[&["collect", "items.jsonl"][..], &COLLECT[..11]].concat(), &flags[..4]);
}

#[test]
fn the_largest_collections_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let items: String =
        (0..20_000).map(|i| format!("{{\"id\":\"q{i}\",\"prompt\":\"{i}\",\"answer\":\"y\"}}\n")).collect();
    std::fs::write(folder.path().join("items.jsonl"), items).expect("a file");
    for (content, says) in [
        (&["completion", "--items", "10000", "--shots", "64"][..], "--items"),
        (&["items.jsonl", "--replicates", "1000"], "--replicates"),
        (&["completion", "--items", "10000", "--replicates", "1000"], "--replicates"),
    ] {
        let ended = run(folder.path(), &[&["collect"], content, &COLLECT[..]].concat());
        let ended = ended.orderly(&format!("{content:?}"));
        assert!(ended.code == Some(2) && ended.stderr.contains(says), "{content:?}: {}", ended.stderr);
    }
}

#[test]
fn measurements_and_estimates() {
    at_each(
        &["measure", "minigpt-1", "--corpus", "colours", "--sets=4", "--queries=4"],
        &["--sets", "--queries", "--shots", "--seed"],
    );
    let positional = ["measure", "minigpt-1", "--corpus", "colours", "--estimand", "positional"];
    at_each(&[&positional[..], &["--windows=8"]].concat(), &["--entities"]);
    at_each(&["mi", "--x", "x.csv", "--y", "x.csv", "--estimator", "ksg"], &["--permutations", "--seed"]);
    at_each(&["list", "models"], &["--threads"]);
}

#[test]
fn predictions_and_back_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    for level in ["0", "1", "-1", "NaN", "inf", "1e308"] {
        let given = format!("--level={level}");
        let ended = run(folder.path(), &["blind", "--hide", "factqwen", &given, "-q"]).orderly(&given);
        assert!(ended.code == Some(2) && ended.stderr.contains("--level"), "{given}: {}", ended.stderr);
    }
    at_each(
        &["report", "blind", concat!(env!("CARGO_MANIFEST_DIR"), "/calibration/blind.csv")],
        &["--noise-scale"],
    );
}
