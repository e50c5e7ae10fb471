//! Tests killed processes, and several processes on one folder.

use std::process::Stdio;
use std::time::Duration;

use super::support::{DESIGN, MODELS, StudyCase, results};
use crate::cli::command::rows;

/// Number of runs that are killed before a run may finish.
const KILLS: u64 = 8;

#[test]
fn a_killed_run_continues_and_gives_the_same_bytes() {
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
        let own = said.lines().find_map(|line| line.split_once(" task")?.0.parse::<usize>().ok());
        done += own.unwrap_or_else(|| panic!("{said}"));
    }
    assert_eq!(done, 26);
    assert!(results(&case.path("study")) == results(&alone.path("study")));
}

#[test]
fn the_bare_command_is_the_bundled_study_and_leaves_nothing_behind() {
    let case = StudyCase::new("");
    std::fs::remove_file(case.path("study.toml")).expect("a file");
    let (printed, said) = case.done(&[]);
    assert!(std::fs::read_dir(case.path(".")).expect("a folder").next().is_none());
    let table = rows(&printed);
    assert_eq!(table.len(), 16);
    let number = |row: &std::collections::BTreeMap<String, String>, column: &str| {
        row[column].parse::<f64>().unwrap_or_else(|_| panic!("{column}: {row:?}"))
    };
    let error = |column: &str| {
        table.iter().map(|row| (number(row, column) - number(row, "measured")).abs()).sum::<f64>() / 16.0
    };
    assert!(error("y_hat") < error("baseline_mean") && error("y_hat") < error("baseline_size"));
    // The message agrees with the printed table.
    let sentence = format!(
        "error of {:.3}. Baselines: {:.3} for the mean of the other models, {:.3} for a regression",
        error("y_hat"),
        error("baseline_mean"),
        error("baseline_size")
    );
    assert!(said.contains(&sentence), "{sentence}: {said}");
    // `init` writes the bundled study.
    case.done(&["init"]);
    case.done(&["run"]);
    assert_eq!(case.read("study/predictions.csv"), printed);
    for file in ["report.html", "study.json", "report/predictions.csv", "report/depth.tex"] {
        assert!(case.path("study").join(file).is_file(), "{file}");
    }
}
