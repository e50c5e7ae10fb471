//! Tests that the real binary reports an invalid flag, corpus or output in one message and leaves no partial
//! file. `bad_checkpoints` tests damaged checkpoints with the helpers in this file.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::tidy::profile_file;

const SURMISE: &str = env!("CARGO_BIN_EXE_surmise");

/// A folder with a copy of a golden checkpoint to damage, a corpus, and a place for output.
pub struct Scene {
    root: TempDir,
}

impl Scene {
    pub fn new(golden: &str) -> Self {
        let scene = Self { root: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir(scene.path("model")).expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(golden);
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            std::fs::copy(from.join(file), scene.path("model").join(file)).expect("a golden file");
        }
        scene.put("corpus.csv", b"entity\nred\ngreen\nblue\nwhite\nblack\nyellow\n");
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file");
    }

    /// The arguments of `measure` with the scene's model and corpus, and `out` for output. The given flags
    /// replace the default flags or are added.
    pub fn command(&self, flags: &[(&str, &str)]) -> Vec<String> {
        let (model, corpus, out) = (self.text("model"), self.text("corpus.csv"), self.text("out"));
        let mut all = vec![("--corpus", &*corpus), ("--windows", "60"), ("--entities", "3"), ("-o", &*out)];
        for flag in flags {
            match all.iter_mut().find(|own| own.0 == flag.0) {
                Some(own) => *own = *flag,
                None => all.push(*flag),
            }
        }
        let flags = all.iter().flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]);
        ["measure", "--estimand=positional", &model].map(str::to_owned).into_iter().chain(flags).collect()
    }

    /// Asserts that `measure` fails with this exit code and message, and that it writes nothing.
    pub fn refuses(&self, flags: &[(&str, &str)], code: i32, says: &[&str]) {
        refused(&self.command(flags), code, says);
        self.left_nothing();
    }

    pub fn left_nothing(&self) {
        if let Ok(entries) = std::fs::read_dir(self.path("out")) {
            assert_eq!(
                entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>(),
                Vec::<PathBuf>::new()
            );
        }
    }
}

/// Runs the binary. On Linux the address space is limited to 4 GB, so that an allocation with an unchecked
/// size fails.
fn surmise<S: AsRef<str>>(arguments: &[S]) -> Output {
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 4000000 && exec \"$0\" \"$@\"", SURMISE]);
        shell
    } else {
        Command::new(SURMISE)
    };
    command.args(arguments.iter().map(AsRef::as_ref)).output().expect("the binary")
}

/// Asserts that the binary ends with this code, an empty stdout, and one message that contains all of `says`.
pub fn refused<S: AsRef<str>>(arguments: &[S], code: i32, says: &[&str]) {
    let output = surmise(arguments);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    println!("{stderr}");
    assert_eq!(output.status.code(), Some(code), "{says:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{says:?}");
    let mut lines = stderr.lines();
    let first = lines.next().unwrap_or_default();
    if first.starts_with("surmise: ") {
        assert!(lines.all(|line| line.starts_with("  because: ")), "{stderr}");
    } else {
        // After an error of clap, stderr points to `--help`.
        assert!(first.starts_with("error: ") && stderr.trim_end().ends_with("try '--help'."), "{stderr}");
    }
    for words in says {
        assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    }
}

#[test]
fn flags_out_of_range_are_named_with_their_range() {
    let scene = Scene::new("gpt2");
    for (flag, value, says) in [
        ("--entities", "0", "--entities must be at least 1"),
        ("--windows", "0", "--windows must be from 2 to 1000000"),
        ("--windows", "1", "--windows must be from 2 to 1000000"),
        ("--windows", "18446744073709551615", "--windows must be from 2 to 1000000"),
        ("--windows", "abc", "invalid value 'abc' for '--windows <N>'"),
        ("--windows", "1e3", "invalid value '1e3' for '--windows <N>'"),
        ("--threads", "0", "--threads must be from 1 to 1024"),
        ("--threads", "65536", "--threads must be from 1 to 1024"),
        ("--seed", "x", "invalid value 'x' for '--seed <SEED>'"),
        ("--scale", "size", "possible values: spread, norm"),
        ("--colour", "red", "unexpected argument '--colour'"),
    ] {
        scene.refuses(&[(flag, value)], 2, &[says]);
    }
}

#[test]
fn an_unknown_name_gives_the_list_of_known_names() {
    let scene = Scene::new("gpt2");
    scene.refuses(&[("--corpus", "countrys")], 2, &["corpus `countrys`", "countries", "give a CSV file"]);
    scene.refuses(&[("--corpus", &scene.text("model"))], 2, &["neither a file nor", "give a CSV file"]);
    let [out, file] = [scene.text("out"), scene.text("corpus.csv")];
    let known = "of the families minigpt, minillama, factgpt, factllama, factneox, factqwen";
    for (name, says) in [
        ("minigtp-1", known),
        ("/no/such/folder", "no such file or folder"),
        ("", known),
        (&*file, "it is a file"),
    ] {
        let arguments = ["measure", "--estimand=positional", name, "--corpus", "colours", "-o", &out];
        refused(&arguments, 2, &[&format!("unknown model `{name}`"), says, "with config.json"]);
    }
    scene.left_nothing();
    refused(&["model", "minigtp-1"], 2, &["did you mean minigpt-1?"]);
    refused(&["mesure"], 2, &["unrecognized subcommand 'mesure'", "similar subcommand exists: 'measure'"]);
    refused(
        &["list", "languages"],
        2,
        &[
            "possible values: models, architectures, estimators, corpora, providers",
            "importers",
            "exporters",
            "candidates",
        ],
    );
    refused(&["measure", "minigpt-1"], 2, &["--corpus <NAME|FILE>"]);
}

#[test]
fn a_damaged_corpus_is_named_with_its_line() {
    let long = format!("entity\n{}\nb\nc\n", "a".repeat(100));
    let cases: [(&[u8], &[&str]); 14] = [
        (b"", &["corpus.csv", "is empty", "column `entity`"]),
        (b"name,entity\na,b\n", &["line 1", "first column must be named `entity`"]),
        (b"entity\n", &["is empty", "add entities"]),
        (b"entity,class\n", &["is empty", "add entities"]),
        (b"entity\na\nb\n", &["corpus: has 2 entities", "lower --entities"]),
        (
            b"entity,class\na,1\nb,1,2\nc,1\n",
            &["corpus.csv, line 3: has 3 fields where the header has 2", "in quotes"],
        ),
        (b"entity,class\na,1\nb\nc,1\n", &["line 3", "1 fields where the header has 2"]),
        (b"entity\na\nb\na\n", &["line 4", "entity \"a\" occurs twice", "remove"]),
        (b"entity\na\nb\n a \n", &["line 4", "entity \"a\" occurs twice", "remove"]),
        (b"entity\na\n\"b, c\"\nd\n", &["line 3", "entity \"b, c\"", "comma", "rename"]),
        (b"entity\na\n\"b\nc\"\nd\n", &["line 3", "control character", "rename"]),
        (b"entity,class\na,1\n,2\nb,1\n", &["line 3", "entity \"\" is empty", "remove the row"]),
        (b"entity\na\nb\xff\nc\n", &["line 3", "not UTF-8", "save the file as UTF-8"]),
        (long.as_bytes(), &["tokens, but the model has only 32 positions", "lower --entities"]),
    ];
    let scene = Scene::new("gpt2");
    for (bytes, says) in cases {
        scene.put("corpus.csv", bytes);
        scene.refuses(&[], 1, says);
    }
}

#[test]
fn a_window_longer_than_the_positions_is_refused_with_both_lengths() {
    let scene = Scene::new("gpt2");
    let flags = [("--corpus", "countries"), ("--entities", "30")];
    scene.refuses(&flags, 1, &["model: window 0 has", "the model has only 32 positions", "lower --entities"]);
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let scene = Scene::new("gpt2");
    // Tests may run as root, for whom permissions have no effect. Even root cannot create a folder below a
    // file.
    for place in ["corpus.csv", "corpus.csv/out", "corpus.csv/a/b"] {
        let place = scene.text(place);
        scene.refuses(&[("-o", &place)], 1, &["cannot write", &place, "choose a writable folder", "-o"]);
    }
    assert!(scene.path("corpus.csv").is_file());
    refused(
        &["demo", "-o", &scene.text("corpus.csv")],
        1,
        &["cannot write", "corpus.csv", "choose a writable folder"],
    );
    scene.left_nothing();
}

#[test]
fn a_damaged_profile_in_the_output_folder_is_named_and_left_unchanged() {
    let scene = Scene::new("gpt2");
    std::fs::create_dir(scene.path("out")).expect("a folder");
    for (bytes, says) in
        [(&b"{\"schema\""[..], "remove it if surmise wrote it"), (b"", "remove it if surmise wrote it")]
    {
        scene.put("out/model--corpus.json", bytes);
        refused(&scene.command(&[]), 1, &["model--corpus.json", says]);
        assert_eq!(std::fs::read(scene.path("out/model--corpus.json")).expect("a file"), bytes);
        assert_eq!(std::fs::read_dir(scene.path("out")).expect("a folder").count(), 1);
    }
}

#[test]
fn a_run_that_fails_later_keeps_complete_files_only() {
    let scene = Scene::new("gpt2");
    let mut command = scene.command(&[]);
    command.insert(3, scene.text("nowhere"));
    refused(&command, 2, &["unknown model", "nowhere"]);
    assert!(!scene.path("out").exists(), "a wrong name must be reported before anything is measured");
    std::fs::create_dir(scene.path("nowhere")).expect("a folder");
    refused(&command, 1, &["nowhere", "config.json"]);
    let left = std::fs::read_dir(scene.path("out"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    assert_eq!(left.count(), 1);
    let profile = std::fs::read(profile_file(&scene.path("out"), "model", "corpus")).expect("a profile");
    serde_json::from_slice::<surmise::emergence::Profile>(&profile).expect("a whole profile");
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    // Five corpora exceed the buffer of a pipe, so rows are still being written when the reader closes the
    // pipe.
    let mut arguments =
        vec!["measure", "--estimand=positional", "minigpt-3", "--windows", "60", "--entities", "4"];
    arguments.extend(surmise::corpus::category::DEFAULT.into_iter().flat_map(|corpus| ["--corpus", corpus]));
    let pipes = |command: &mut Command| {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary")
    };
    let mut child = pipes(Command::new(SURMISE).args(&arguments));
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("model"), "{line}");
    let output = child.wait_with_output().expect("an end");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !stderr.contains("panicked"), "{stderr}");
    // Here the reader closes the pipe before the first byte.
    for arguments in [&["list", "models"][..], &["--help"], &["--version"]] {
        let mut child = pipes(Command::new(SURMISE).args(arguments));
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("an end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = Command::new(SURMISE).args(["list", "models"]).stdout(full).output().expect("the binary");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("surmise: cannot write stdout") && stderr.contains("because: "), "{stderr}");
}
