//! Runs the real binary within limits of memory and time, and checks how the run ended.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Limits: kilobytes of address space, seconds of processor time of all threads together, and seconds of wall
/// time. The limit of wall time is larger, because other processes may run at the same time.
const MEMORY_KB: u64 = 4_194_304;
const WORKED_S: u64 = 40;
const SECONDS: u64 = 300;

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` if a signal or the time limit ended the run.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Asserts that the process ended by itself, with a message if it failed.
    pub fn orderly(self, what: &str) -> Self {
        let Self { code, stderr, .. } = &self;
        assert!(code.is_some_and(|code| (0..=6).contains(&code)), "{what}: {code:?}\n{stderr:.2000}");
        let is_said = *code == Some(0) || stderr.contains("surmise: ") || stderr.contains("error: ");
        assert!(is_said, "{what}: {code:?}\n{stderr:.2000}");
        for word in ["panicked", "internal error", "memory allocation", "overflowed its stack"] {
            assert!(!stderr.contains(word), "{what}: {stderr:.2000}");
        }
        self
    }
}

/// The binary with arguments, in a folder, under the limits.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = if cfg!(unix) {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -v {MEMORY_KB}; ulimit -t {WORKED_S}; ulimit -c 0; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_surmise")]);
        shell
    } else {
        Command::new(env!("CARGO_BIN_EXE_surmise"))
    };
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the binary and kills it after the time limit.
pub fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let (out, err) = (tempfile::NamedTempFile::new(), tempfile::NamedTempFile::new());
    let (out, err) = (out.expect("a file"), err.expect("a file"));
    let mut child = command(folder, arguments)
        .stdout(out.reopen().expect("a file"))
        .stderr(err.reopen().expect("a file"))
        .spawn()
        .expect("the binary");
    let began = Instant::now();
    let code = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status.code(),
            None if began.elapsed() > Duration::from_secs(SECONDS) => {
                child.kill().and_then(|()| child.wait()).expect("a killed child");
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |file: &tempfile::NamedTempFile| {
        String::from_utf8_lossy(&std::fs::read(file.path()).expect("output")).into_owned()
    };
    Ended { code, stdout: text(&out), stderr: text(&err) }
}

/// The output of a command without a time limit.
pub fn output(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}
