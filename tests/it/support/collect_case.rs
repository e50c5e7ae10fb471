//! Runs `surmise collect` in a folder with items, and searches all its output for the key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use surmise::{provider, seed};

use super::fault_server::Server;

/// The key, which no file and no output of any test may contain.
pub const KEY: &str = "zk-Secret+For/Tests0123456789abcdefXYZ";

/// A folder with items, and the command that collects their answers.
pub struct Case {
    pub folder: tempfile::TempDir,
    pub url: String,
}

impl Case {
    /// A case with `n` items: the prompts "say w0", "say w1", ... and the answers "w0", "w1", ...
    pub fn new(server: &Server, n: usize) -> Self {
        let lines: String = (0..n)
            .map(|i| {
                json!({"id": format!("q{i}"), "prompt": format!("say w{i}"), "answer": format!("w{i}")})
                    .to_string()
                    + "\n"
            })
            .collect();
        Self::of(&server.url, &lines)
    }

    pub fn of(url: &str, lines: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("items.jsonl"), lines).expect("a file");
        Self { folder, url: url.to_owned() }
    }

    pub fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.out().join(name)).expect("a file")
    }

    /// The records of the journal.
    pub fn records(&self) -> Vec<Value> {
        self.file("journal.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The records of outcomes, except for probes.
    pub fn outcomes(&self) -> Vec<Value> {
        self.records().into_iter().filter(|r| r["record"] == "outcome" && r["probe"] != true).collect()
    }

    /// A column of the only row of scores.csv.
    pub fn score(&self, column: &str) -> String {
        let text = self.file("scores.csv");
        let row = csv::Reader::from_reader(text.as_bytes()).deserialize::<HashMap<String, String>>().next();
        row.expect("a row").expect("a row")[column].clone()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        let typed = |name: &str| arguments.contains(&name);
        command.current_dir(self.folder.path()).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        // Answers that cannot be written to the journal are stored in TMPDIR. With this value, the search for
        // the key includes them.
        command.env("TMPDIR", self.folder.path());
        command.envs(provider::ALL.iter().map(|provider| (provider.key_variable(), KEY)));
        command.args(["collect", "items.jsonl", "--base-url", &self.url, "--api-model", "m", "-o", "out"]);
        for (name, value) in
            [("--provider", "openai-chat"), ("--backoff-s", "0.05"), ("--idle-timeout-s", "20")]
        {
            if !typed(name) {
                command.args([name, value]);
            }
        }
        // With a small token limit, small budgets suffice. Scored prompts set their own limit.
        if !typed("--max-tokens") && !arguments.iter().any(|argument| argument.starts_with("logprob")) {
            command.args(["--max-tokens", "32"]);
        }
        if !typed("--budget-usd") && !typed("--dry-run") {
            command.arg("--no-budget");
        }
        command.args(arguments);
        command
    }

    /// Runs the command, and searches its output and files for the key.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(&self.command(arguments).output().expect("the binary"))
    }

    pub fn wait(&self, child: Child) -> Ran {
        self.ran(&child.wait_with_output().expect("the binary"))
    }

    pub fn ran(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran =
            Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
        for part in echoes() {
            assert!(
                !ran.stdout.contains(&part) && !ran.stderr.contains(&part),
                "the key was printed: {part}"
            );
            no_key_in(self.folder.path(), &part);
        }
        ran
    }

    /// Runs the command and expects an exit code.
    pub fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        ran
    }
}

/// The strings to search for in every file and output of every run: the whole key, its parts, and the forms
/// in which a server may repeat it.
fn echoes() -> Vec<String> {
    let reversed: String = KEY.chars().rev().collect();
    let hex = seed::hex(KEY.as_bytes());
    // The middle of the encoded form does not depend on the text around the key.
    let base64 = (0..3).map(|shift| STANDARD.encode(format!("{}{KEY}", "x".repeat(shift)))[4..28].to_owned());
    let parts = [KEY, &KEY[..12], &KEY[KEY.len() - 12..], &reversed[..12], &reversed[KEY.len() - 12..]];
    let digits = [hex[..24].to_owned(), hex[hex.len() - 24..].to_owned(), hex[..24].to_uppercase()];
    parts.into_iter().map(str::to_owned).chain(digits).chain(base64).collect()
}

fn no_key_in(folder: &Path, part: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            no_key_in(&entry.path(), part);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            assert!(
                !bytes.windows(part.len()).any(|w| w == part.as_bytes()),
                "the key is in {}",
                entry.path().display()
            );
        }
    }
}

/// The output of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn says(&self, what: &str) -> &Self {
        assert!(self.stderr.contains(what), "{what:?} is not in {}", self.stderr);
        self
    }
}
