//! Processes that are killed, and several at once on one folder.

use std::process::Stdio;
use std::time::Duration;

use super::support::{DESIGN, MODELS, StudyCase, results};

/// Runs that are killed before one is left to end.
const KILLS: u64 = 8;

#[test]
fn a_killed_run_goes_on_and_gives_the_same_bytes() {
    let text = format!("{}{MODELS}", DESIGN.replace("[\"moons\"]", "[\"moons\", \"potions\"]"));
    let whole = StudyCase::new(&text);
    whole.done(&["run"]);
    let case = StudyCase::new(&text);
    for kill in 0..KILLS {
        let mut run = case.command(&["-q", "run"]).stdout(Stdio::null()).spawn().expect("the binary");
        std::thread::sleep(Duration::from_millis(150 + 130 * kill));
        run.kill().unwrap_or_default();
        run.wait().expect("an end");
    }
    case.done(&["-q", "run"]);
    assert!(results(&case.path("study")) == results(&whole.path("study")));
}

#[test]
fn processes_on_one_folder_never_do_the_same_task() {
    let text = format!("{DESIGN}{MODELS}");
    let alone = StudyCase::new(&text);
    alone.done(&["run"]);
    let case = StudyCase::new(&text);
    let start = || case.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let runs: Vec<_> = (0..4).map(|_| start().expect("the binary")).collect();
    let mut done = 0;
    for run in runs {
        let output = run.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let own = said.lines().find_map(|line| line.split_once(" tasks done")?.0.parse::<usize>().ok());
        done += own.unwrap_or_else(|| panic!("{said}"));
    }
    assert_eq!(done, 26);
    assert!(results(&case.path("study")) == results(&alone.path("study")));
}
