//! Tests that the commands of docs/tutorial.md run and print the lines of the page.
//!
//! The line before a block determines how the block is used. `<!-- run: embedded -->` runs always, `<!-- run:
//! real -->` only if `SURMISE_REAL_MODELS` names the folder of `scripts/real-models`, and `<!-- run: by hand
//! -->` never. `<!-- embedded: NAME -->` and `<!-- real: NAME -->` write a file. The lines below a command
//! must appear in its output, in this order, with other lines between them. Numbers may differ a little,
//! because processors round differently.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

use super::markdown::{Block, parts};
use super::root;

/// Allowed absolute difference of a number, for values in nats and shares, and relative difference.
const ABSOLUTE: f64 = 0.02;
const RELATIVE: f64 = 0.02;

static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[-+]?(\d+\.?\d*|\.\d+)").expect("a pattern"));

/// Whether a printed line matches a line of the page, ignoring spaces.
fn is_like(printed: &str, shown: &str) -> bool {
    let words = |line: &str| NUMBER.replace_all(line, "#").split_whitespace().collect::<Vec<_>>().join(" ");
    let numbers = |line: &str| -> Vec<f64> {
        NUMBER.find_iter(line).map(|found| found.as_str().parse().expect("a number")).collect()
    };
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= ABSOLUTE + RELATIVE * b.abs();
    let (ours, theirs) = (numbers(printed), numbers(shown));
    words(printed) == words(shown) && ours.iter().zip(&theirs).all(close)
}

/// The commands of a block, each with the lines that it must print.
fn commands(block: &Block) -> Vec<(String, Vec<&str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = vec![];
    let mut continues = false;
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), vec![]));
            continues = command.ends_with('\\');
        } else if continues {
            let (command, _) = commands.last_mut().expect("a command before its second line");
            *command += &format!("\n{line}");
            continues = line.ends_with('\\');
        } else if !line.is_empty() && line != "..." {
            commands.last_mut().expect("a command before its output").1.push(line);
        }
    }
    commands
}

/// Runs a command in a folder and checks its output.
fn run(folder: &Path, command: &str, shown: &[&str]) {
    let binary = Path::new(env!("CARGO_BIN_EXE_surmise")).parent().expect("the binary's folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("a shell");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    // Code 3 means finished with gaps, such as refused predictions.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{command}: {}\n{printed}", output.status);
    let mut rest = printed.lines();
    for line in shown {
        assert!(rest.any(|there| is_like(there, line)), "{command} does not print `{line}` here:\n{printed}");
    }
}

fn blocks() -> Vec<Block> {
    let page = std::fs::read_to_string(root().join("docs/tutorial.md")).expect("docs/tutorial.md");
    parts(&page).1
}

/// Writes the files and runs the blocks of one kind, in one folder, in the order of the page.
fn follow(kind: &str, folder: &Path) -> usize {
    let mut n = 0;
    for block in blocks() {
        if let Some(name) = block.before.strip_prefix(&format!("<!-- {kind}: ")) {
            let name = name.trim_end_matches(" -->");
            std::fs::write(folder.join(name), block.lines.join("\n") + "\n").expect("a file");
        } else if block.before == format!("<!-- run: {kind} -->") {
            for (command, shown) in commands(&block) {
                run(folder, &command, &shown);
                n += 1;
            }
        }
    }
    n
}

#[test]
fn every_console_block_has_a_run_line() {
    for block in blocks().iter().filter(|block| block.language == "console") {
        let known = ["embedded", "real", "by hand"].map(|kind| format!("<!-- run: {kind} -->"));
        assert!(known.contains(&block.before), "{:?}", block.lines);
    }
}

#[test]
fn numbers_may_differ_a_little_and_words_may_not() {
    assert!(is_like("smollm2  share 0.68 +- 0.02", "smollm2 share 0.67 +- 0.02"));
    assert!(!is_like("smollm2 share 0.68", "smollm2 share 0.88"));
    assert!(!is_like("smollm2 share 0.68", "gemma3 share 0.68"));
    assert!(!is_like("share 0.68", "share"));
}

#[test]
fn the_embedded_commands_of_the_tutorial_print_what_it_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(follow("embedded", folder.path()) >= 5);
}

#[test]
#[ignore = "needs SURMISE_REAL_MODELS; takes minutes"]
fn real_models_print_what_the_tutorial_shows() {
    let models = std::env::var_os("SURMISE_REAL_MODELS").map(PathBuf::from).expect("SURMISE_REAL_MODELS");
    let folder = tempfile::tempdir().expect("a folder");
    let models = std::fs::canonicalize(models).expect("the folder of the models");
    std::os::unix::fs::symlink(models, folder.path().join("models")).expect("a link");
    assert!(follow("real", folder.path()) >= 5);
}
