//! Tests pipes and devices in place of files, links in place of files that surmise writes, and a system that
//! refuses to start threads.

use std::path::Path;
use std::process::Command;

use super::bounded::{command, run};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn a_pipe_or_device_in_place_of_a_file_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    fifo(&folder.path().join("pipe.csv"));
    fifo(&folder.path().join("pipe.json"));
    std::fs::create_dir(folder.path().join("m")).expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2");
    std::fs::copy(from.join("config.json"), folder.path().join("m/config.json")).expect("a file");
    std::fs::copy(from.join("model.safetensors"), folder.path().join("m/model.safetensors")).expect("a file");
    fifo(&folder.path().join("m/tokenizer.json"));
    for place in ["pipe.csv", "/dev/zero", "/dev/random"] {
        for arguments in [
            &["mi", "--x", place, "--y", place][..],
            &["report", "profiles", place],
            &["report", "predictions", place],
            &["report", "blind", place],
            &["report", "answers", place],
            &["calibrate", place, "--target", "y", "-o", "card.json"],
            &["predict", place, "--calibration", place],
            &["scores", "import", place],
            &["states", "minigpt-1", "--tokens", place, "-o", "o.st"],
            &["measure", "minigpt-1", "--corpus", place, "-o", "out"],
            &["measure", "minigpt-1", "--texts", place, "--window-tokens", "4", "-o", "out"],
            &[
                "collect",
                place,
                "--provider",
                "openai-chat",
                "--api-model",
                "m",
                "--base-url",
                "http://127.0.0.1:1",
                "--no-budget",
                "-o",
                "out",
            ],
            &["plan", place],
            &["card", place],
        ] {
            let ended = run(folder.path(), arguments).orderly(&format!("{arguments:?}"));
            assert_ne!(ended.code, Some(0), "{arguments:?}: {}", ended.stdout);
        }
    }
    for arguments in [
        &["card", "pipe.json"][..],
        &["report", "calibration", "pipe.json"],
        &["report", "html", "."],
        &["scores", "import", "pipe.json"],
        &["model", "m"],
        &["measure", "m", "--corpus", "colours", "-o", "out"],
        &["mi", "--x", "/dev/null", "--y", "/dev/null", "--json", "/dev/full"],
    ] {
        run(folder.path(), arguments).orderly(&format!("{arguments:?}"));
    }
}

#[test]
fn a_link_in_place_of_an_output_file_is_not_followed() {
    for name in ["journal.lock", "journal.jsonl"] {
        let folder = tempfile::tempdir().expect("a folder");
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious\n").expect("a file");
        std::fs::create_dir(folder.path().join("d")).expect("a folder");
        std::os::unix::fs::symlink("../victim", folder.path().join("d").join(name)).expect("a link");
        let item = "{\"id\":\"q\",\"prompt\":\"x\",\"answer\":\"y\"}\n";
        std::fs::write(folder.path().join("items.jsonl"), item).expect("a file");
        let arguments = [
            "collect",
            "items.jsonl",
            "--provider",
            "ollama",
            "--base-url",
            "http://127.0.0.1:1",
            "--api-model",
            "m",
            "--no-budget",
            "--max-tokens",
            "9",
            "--patience-s",
            "1",
            "-q",
            "-o",
            "d",
        ];
        let ended = run(folder.path(), &arguments).orderly(name);
        assert_eq!(ended.code, Some(6), "{}", ended.stderr);
        assert!(ended.stderr.contains("symbolic link"), "{}", ended.stderr);
        assert_eq!(std::fs::read_to_string(&victim).expect("a file"), "precious\n");
    }
}

#[test]
fn a_system_that_refuses_threads_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // The default number of threads starts. The stacks of 1024 threads exceed the memory limit of 600 MB.
    let output = command(folder.path(), &["list", "models"]).output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut shell = Command::new("sh");
    let script = "ulimit -v 600000; exec \"$0\" --threads 1024 list models";
    let output = shell.args(["-c", script, env!("CARGO_BIN_EXE_surmise")]).output().expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot start another thread") && said.contains("--threads"), "{said}");
}
