//! Lists kinds of files from users and other tools, and the commands that read the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::others;
use crate::hostile::bounded::output;
use crate::serve::server::Serving;

/// The files of one kind, the names of the files to damage, and the commands that read the files.
pub struct Kind {
    pub name: &'static str,
    pub files: BTreeMap<String, Vec<u8>>,
    pub damaged: &'static [&'static str],
    pub commands: &'static [&'static [&'static str]],
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

/// Reads files from a folder of the repository, and adds the prefix `to` to their names.
pub fn files(from: &str, names: &[&str], to: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |name: &&str| {
        let bytes = std::fs::read(root().join(from).join(name)).unwrap_or_else(|_| panic!("{from}/{name}"));
        (format!("{to}{name}"), bytes)
    };
    names.iter().map(read).collect()
}

fn made(arguments: &[&str], keeps: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8").to_owned();
    let ended = output(&[arguments, &["-q", "-o", &out]].concat());
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let read = |name: &&str| ((*name).to_owned(), std::fs::read(folder.path().join(name)).expect("a file"));
    keeps.iter().map(read).collect()
}

pub const MODEL: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];
pub const MEASURE: &[&str] = &[
    "measure",
    "m",
    "--estimand",
    "positional",
    "--corpus",
    "colours",
    "--windows",
    "8",
    "--entities",
    "2",
    "-q",
    "-o",
    "out",
];

pub fn kinds() -> Vec<Kind> {
    let mut kinds = files_of_surmise();
    kinds.extend(others::kinds());
    kinds
}

fn files_of_surmise() -> Vec<Kind> {
    let profiles = made(
        &[
            "measure",
            "minigpt-2",
            "--estimand",
            "positional",
            "--corpus",
            "colours",
            "--windows",
            "30",
            "--entities",
            "3",
        ],
        &["profiles.csv"],
    );
    let semantic = made(
        &["measure", "minigpt-2", "--corpus", "colours", "--sets", "4", "--queries", "4"],
        &["profiles.csv", "summaries.csv"],
    );
    let table: Vec<u8> = std::fs::read_to_string(root().join("tests/golden/calibration/obs_tidy.csv"))
        .expect("a table")
        .lines()
        .take(40)
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect();
    vec![
        Kind {
            name: "tokenizer",
            files: files("tests/golden/gpt2", &MODEL, "m/"),
            damaged: &["m/tokenizer.json"],
            commands: &[MEASURE],
        },
        Kind {
            name: "config and weights",
            files: files("tests/golden/llama-gqa", &MODEL, "m/"),
            damaged: &["m/config.json", "m/model.safetensors"],
            commands: &[&["model", "m"], MEASURE],
        },
        Kind {
            name: "PyTorch",
            files: [
                files("tests/golden/llama-linear-rope", &["config.json"], "m/"),
                files("tests/golden/forms/torch", &["pytorch_model.bin"], "m/"),
                [("ids.safetensors".to_owned(), ids())].into(),
            ]
            .into_iter()
            .flatten()
            .collect(),
            damaged: &["m/pytorch_model.bin"],
            commands: &[
                &["model", "m"],
                &["states", "m", "--tokens", "ids.safetensors", "-q", "-o", "out.safetensors"],
            ],
        },
        Kind {
            name: "GGUF",
            files: files("tests/golden/gguf", &["qwen2.gguf", "tokens-smollm.gguf"], ""),
            damaged: &["qwen2.gguf", "tokens-smollm.gguf"],
            commands: &[
                &["model", "qwen2.gguf"],
                &["model", "tokens-smollm.gguf"],
                &[
                    "states",
                    "qwen2.gguf",
                    "--corpus",
                    "colours",
                    "--windows",
                    "4",
                    "-q",
                    "-o",
                    "o.safetensors",
                ],
            ],
        },
        Kind {
            name: "card",
            files: card(),
            damaged: &["card.json"],
            commands: &[
                &["card", "card.json"],
                &["predict", "table.csv", "--calibration", "card.json", "-q", "-o", "out.csv"],
                &["report", "calibration", "card.json", "-q", "-o", "out"],
            ],
        },
        Kind {
            name: "journal",
            files: journal(),
            damaged: &["answers/journal.jsonl"],
            commands: &[
                &["collect", "rescore", "answers", "--grader", "exact", "-q"],
                &["collect", "repair", "answers", "-q"],
                &["scores", "export", "answers", "--to", "lm-eval", "-q", "-o", "out"],
                &[
                    "collect",
                    "items.jsonl",
                    "--provider",
                    "openai-chat",
                    "--base-url",
                    "http://127.0.0.1:1",
                    "--api-model",
                    "m",
                    "--no-budget",
                    "--dry-run",
                    "-q",
                    "-o",
                    "answers",
                ],
            ],
        },
        Kind {
            name: "profiles",
            files: profiles,
            damaged: &["profiles.csv"],
            commands: &[
                &["report", "profiles", "profiles.csv", "-q", "-o", "out"],
                &["report", "depth", "profiles.csv", "-q", "-o", "out"],
                &["report", "shots", "profiles.csv", "-q", "-o", "out"],
                &["report", "html", ".", "-q", "-o", "out.html"],
            ],
        },
        Kind {
            name: "semantic profiles",
            files: semantic,
            damaged: &["profiles.csv", "summaries.csv"],
            commands: &[
                &["report", "profiles", ".", "-q", "-o", "out"],
                &["report", "depth", ".", "-q", "-o", "out"],
                &["report", "shots", ".", "-q", "-o", "out"],
                &["report", "html", ".", "-q", "-o", "out.html"],
            ],
        },
        Kind {
            name: "blind",
            files: files("calibration", &["blind.csv"], ""),
            damaged: &["blind.csv"],
            commands: &[&["report", "blind", "blind.csv", "-q", "-o", "out"]],
        },
        Kind {
            name: "observations",
            files: [("table.csv".to_owned(), table)].into(),
            damaged: &["table.csv"],
            commands: &[&["calibrate", "table.csv", "--target", "pt_gsm8k_5shot", "-q", "-o", "card.json"]],
        },
        Kind {
            name: "study",
            files: [("study.toml".to_owned(), study())].into(),
            damaged: &["study.toml"],
            commands: &[&["plan", "study.toml", "-q"], &["status", "study.toml", "-q"]],
        },
        Kind {
            name: "items",
            files: [("items.jsonl".to_owned(), items())].into(),
            damaged: &["items.jsonl"],
            commands: &[&[
                "collect",
                "items.jsonl",
                "--provider",
                "openai-chat",
                "--base-url",
                "http://127.0.0.1:1",
                "--api-model",
                "m",
                "--no-budget",
                "--dry-run",
                "-q",
                "-o",
                "out",
            ]],
        },
        Kind {
            name: "lm-eval",
            files: [("results.json".to_owned(), results())].into(),
            damaged: &["results.json"],
            commands: &[&["scores", "import", "results.json", "--metric", "acc", "-o", "out.csv"]],
        },
    ]
}

/// Token ids as an array of two windows.
fn ids() -> Vec<u8> {
    let header = br#"{"input_ids":{"dtype":"I64","shape":[2,3],"data_offsets":[0,48]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend((1..7_i64).flat_map(i64::to_le_bytes));
    bytes
}

/// A small card, and the table from which it was calibrated.
fn card() -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        std::fs::read_to_string(root().join("tests/golden/calibration/obs_tidy.csv")).expect("a table");
    let table: String = text.lines().take(12).flat_map(|line| [line, "\n"]).collect();
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(path("table.csv"), &table).expect("a file");
    let ended = output(&[
        "calibrate",
        &path("table.csv"),
        "--target",
        "bench_mmlu",
        "--features",
        "bench_arc_c,bench_gsm8k",
        "-q",
        "-o",
        &path("card.json"),
    ]);
    // Exit code 3 reports that so few rows support no interval.
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&ended.stderr));
    let card = std::fs::read(path("card.json")).expect("a card");
    [("table.csv".to_owned(), table.into_bytes()), ("card.json".to_owned(), card)].into()
}

/// The folder of a collection of five answers.
fn journal() -> BTreeMap<String, Vec<u8>> {
    let server = Serving::start(&["minigpt-1"]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("items.jsonl"), items()).expect("a file");
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"))
        .args(["collect", "items.jsonl", "--provider", "openai-chat", "--api-model", "minigpt-1"])
        .args(["--base-url", &format!("http://{}/v1", server.address)])
        .args(["--no-budget", "--max-tokens", "3", "--keep-going", "--keep-truncated", "-q", "-o", "answers"])
        .env("OPENAI_API_KEY", "unused-key-000000")
        .current_dir(folder.path())
        .output()
        .expect("the binary");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let read = |name: &str| (name.to_owned(), std::fs::read(folder.path().join(name)).expect("a file"));
    ["items.jsonl", "answers/journal.jsonl", "answers/scores.csv", "answers/items.csv"].map(read).into()
}

fn study() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.toml");
    let ended = output(&["init", path.to_str().expect("UTF-8"), "-q"]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    std::fs::read(path).expect("a study")
}

pub fn items() -> Vec<u8> {
    (0..5)
        .flat_map(|i| format!("{{\"id\":\"q{i}\",\"prompt\":\"x{i}\",\"answer\":\"y\"}}\n").into_bytes())
        .collect()
}

/// The golden results file of the lm-evaluation-harness.
fn results() -> Vec<u8> {
    let folder = root().join("tests/golden/lm_eval");
    let names = std::fs::read_dir(&folder).expect("a folder");
    let mut names: Vec<String> =
        names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let name = names.into_iter().find(|name| name.starts_with("results")).expect("results");
    std::fs::read(folder.join(name)).expect("results")
}
