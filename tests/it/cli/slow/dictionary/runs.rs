//! Runs the commands that write files, on embedded models.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use surmise::collect::Score;

use super::Written;
use crate::study::support::{DESIGN, MODELS};
use crate::support::collect_case::Case;
use crate::support::fault_server::{Reply, Server};
use crate::support::tidy;

fn ran(folder: &Path, line: &str) -> Output {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.arg("-q").args(arguments).current_dir(folder).env_remove("SLURM_ARRAY_TASK_ID");
    command.output().expect("the binary")
}

/// Runs a command that ends with an exit code.
fn ends(folder: &Path, code: i32, line: &str) {
    let output = ran(folder, line);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line}: {said}");
}

fn done(folder: &Path, line: &str) {
    ends(folder, 0, line);
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|own| own == extension)).collect();
    files.sort();
    assert!(!files.is_empty(), "no .{extension} in {}", folder.display());
    files
}

/// Checks profiles of both estimands, their reports, and observations.
pub fn measured(written: &mut Written, at: &Path) {
    let path = |name: &str| at.join(name);
    done(
        at,
        "measure minigpt-1 minigpt-2 --corpus numbers --shots 0,1,4 --sets 4 --queries 4 --random-init on \
         --with-control permuted-answers -o sem --csv sem.csv --json sem.json",
    );
    files(&path("sem"), "json").iter().for_each(|file| written.json("semantic profile", file));
    written.csv("profiles.csv (semantic)", &path("sem/profiles.csv"));
    written.csv("readings.csv", &path("sem/readings.csv"));
    written.csv("summaries.csv", &path("sem/summaries.csv"));
    written.csv("profiles.csv (semantic)", &path("sem.csv"));
    written.json_table("profiles.csv (semantic)", &path("sem.json"));
    done(
        at,
        "measure minigpt-1 minigpt-2 minigpt-3 --corpus colours --estimand positional --windows 2000 \
         --entities 2 -o pos",
    );
    files(&path("pos"), "json").iter().for_each(|file| written.json("positional profile", file));
    written.csv("profiles.csv (positional)", &path("pos/profiles.csv"));
    let mut scores = csv::Writer::from_path(path("own.csv")).expect("a file");
    for (model, right) in [("minigpt-1", 20), ("minigpt-2", 30), ("minigpt-3", 40)] {
        let score = serde_json::json!({
            "provider": "local", "model": model, "model_snapshot": "", "task": "arc", "shots": 0,
            "n_items": 50, "n_scored": 50, "n_refused": 0, "n_filtered": 0, "n_truncated": 0, "n_empty": 0,
            "n_unreadable": 0, "n_error": 0, "accuracy": f64::from(right) / 50.0, "mean_logprob": -1.0,
        });
        scores.serialize(serde_json::from_value::<Score>(score).expect("a score")).expect("a row");
    }
    scores.flush().expect("a file");
    done(at, "observations --profiles pos --scores own.csv -o pos-observations.csv");
    written.csv("observations.csv (positional)", &path("pos-observations.csv"));
    ends(at, 3, "observations --profiles sem --shots 1 --scores own.csv -o sem-observations.csv");
    written.csv("observations.csv (semantic)", &path("sem-observations.csv"));
    for (kind, of) in [("semantic", "sem"), ("positional", "pos")] {
        for report in ["profiles", "shots", "depth"] {
            done(at, &format!("report {report} {of} -o report-{of}"));
            written.csv(&format!("report {report} ({kind})"), &path(&format!("report-{of}/{report}.csv")));
        }
    }
}

/// Pseudo-random numbers from 0 to 1, the same for the same seed.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    (0..).map(move |i: u64| {
        let x = (i + 1 + seed * 7919).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// Checks estimates of paired samples, and comparisons of groups of texts.
pub fn estimated(written: &mut Written, at: &Path) {
    let path = |name: &str| at.join(name);
    let column = |name: &str, values: &[f64]| {
        let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
        std::fs::write(at.join(name), format!("v\n{lines}")).expect("a file");
    };
    let (x, e): (Vec<f64>, Vec<f64>) = (noise(1).take(300).collect(), noise(2).take(300).collect());
    column("x.csv", &x);
    column("y.csv", &x.iter().zip(&e).map(|(x, e)| x + e).collect::<Vec<_>>());
    // A random walk, in which each row depends on the previous rows.
    let walk = |steps: &[f64]| -> Vec<f64> {
        steps
            .iter()
            .scan(0.0, |sum, step| {
                *sum += step - 0.5;
                Some(*sum)
            })
            .collect()
    };
    column("walk-x.csv", &walk(&x));
    column("walk-y.csv", &walk(&e));
    for line in [
        "--x x.csv --y y.csv --estimator channel --self-check --json mi-1.json --csv mi.csv",
        "--x x.csv --y y.csv --permutations 3 --self-check --json mi-2.json",
        "--x walk-x.csv --y walk-y.csv --estimator gaussian --json mi-3.json",
    ] {
        done(at, &format!("mi {line}"));
    }
    (1..=3).for_each(|n| written.json("mi", &path(&format!("mi-{n}.json"))));
    written.csv("mi.csv", &path("mi.csv"));
    let words = ["red", "green", "blue"];
    let texts: String = (0..60)
        .map(|i| {
            let text: Vec<&str> = noise(i).take(40).map(|u| words[(u * 3.0) as usize]).collect();
            format!("{},{}\n", text.join(" "), if i % 2 == 0 { "a" } else { "b" })
        })
        .collect();
    std::fs::write(path("texts.csv"), format!("text,group\n{texts}")).expect("a file");
    done(at, "compare minigpt-3 --texts texts.csv -o comparisons.csv");
    written.csv("comparisons.csv", &path("comparisons.csv"));
    done(at, "model minigpt-3 --json model.json --csv model.csv");
    written.json("model report", &path("model.json"));
    written.csv("model report", &path("model.csv"));
    let experts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mixtral");
    done(at, &format!("model {experts} --json experts.json"));
    written.json("model report", &path("experts.json"));
}

/// Checks a study with a model that does not answer, and a shard of a study.
pub fn studied(written: &mut Written, at: &Path) {
    let path = |name: &str| at.join("study").join(name);
    let design = DESIGN.replace("[design]\n", "[design]\ntasks = [\"moons\"]\n");
    let gone = "[[closed]]\nmodel = \"m\"\nprovider = \"openai-completions\"\n\
                base_url = \"http://127.0.0.1:9/v1\"\n";
    std::fs::write(at.join("study.toml"), format!("{design}{MODELS}{gone}")).expect("a file");
    ends(at, 3, "run");
    written.json("study.json", &path("study.json"));
    written.json("models.json", &path("models.json"));
    written.json("card", &path("card.json"));
    written.csv("predictions.csv", &path("predictions.csv"));
    written.csv("observations.csv (semantic)", &path("observations.csv"));
    written.each(&path("tasks"), "done.json", &mut |written, file| written.json("done.json", file));
    written.each(&path("tasks"), "failed.json", &mut |written, file| written.json("failed.json", file));
    for folder in ["answers", "scores"] {
        written.each(&path(folder), "journal.jsonl", &mut |written, file| written.journal(file));
        written.each(&path(folder), "summary.json", &mut |written, file| written.json("summary.json", file));
        written.each(&path(folder), "items.csv", &mut |written, file| written.csv("items.csv", file));
        written.each(&path(folder), "scores.csv", &mut |written, file| written.csv("scores.csv", file));
    }
    written.each(&path("answers"), "semantic.csv", &mut |written, file| written.csv("semantic.csv", file));
    written.each(&path("scores"), "gains.csv", &mut |written, file| written.csv("gains.csv", file));
    for verb in ["plan", "status", "doctor"] {
        done(at, &format!("{verb} --csv {verb}.csv --json {verb}.json"));
        written.csv(verb, &at.join(format!("{verb}.csv")));
        written.json_table(verb, &at.join(format!("{verb}.json")));
    }
    ends(at, 3, "run --shard 1/2 -o shard");
    written.json("shard", &at.join("shard/shards/1-of-2.json"));
    done(at, "report predictions study -o report-study");
    written.csv("report predictions", &at.join("report-study/predictions.csv"));
    done(at, "report calibration study -o report-study");
    written.csv("report calibration", &at.join("report-study/calibration.csv"));
    // A card of a table with sizes.
    let table = at.join("table.csv");
    tidy::write(table.to_str().expect("UTF-8"), &tidy::table(24));
    done(at, "calibrate table.csv --target y --features a,b --size params_b -o sized.json");
    written.json("card", &at.join("sized.json"));
    done(at, "card study/card.json --csv errors.csv");
    written.csv("report calibration", &at.join("errors.csv"));
    done(at, "report answers study/answers/factgpt-1 -o report-study");
    written.csv("report answers", &at.join("report-study/answers.csv"));
}

/// Checks a blind test of one member, and the demonstration with a fast estimator.
pub fn hidden(written: &mut Written, at: &Path) {
    let path = |name: &str| at.join("blind").join(name);
    done(
        at,
        "blind --hide factgpt-1 --corpus moons --shots 1 --sets 4 --queries 4 -o blind --json blind.json",
    );
    written.csv("blind.csv", &path("blind.csv"));
    written.json("blind.json", &path("blind.json"));
    written.json("blind.json", &at.join("blind.json"));
    written.json("settings.json", &path("settings.json"));
    written.csv("predictions.csv", &path("predictions.csv"));
    written.each(&path("answers"), "answers.json", &mut |written, file| written.json("answers.json", file));
    files(&path("cards"), "json").iter().for_each(|card| written.json("card", card));
    done(at, "report blind blind -o report-blind");
    written.csv("report blind", &at.join("report-blind/blind.csv"));
    // The exit code is not checked, because the demonstration may refuse every prediction.
    ran(at, "demo --estimator gaussian --windows 300 --entities 2 --csv demo.csv");
    written.csv("demonstration", &at.join("demo.csv"));
}

/// Checks a collection of texts, a dry run, and an import.
pub fn asked(written: &mut Written, at: &Path) {
    let server = Server::start(|_| Reply::say("some text"));
    let case = Case::new(&server, 2);
    std::fs::write(case.folder.path().join("mine.csv"), "id,prompt\n1,Write.\n2,Write more.\n")
        .expect("a file");
    case.ends(0, &["texts:mine.csv"]);
    for line in case.file("texts.jsonl").lines() {
        written.value("texts.jsonl", &serde_json::from_str(line).expect("JSON"));
    }
    written.json("summary.json", &case.out().join("summary.json"));
    done(at, "collect completion --provider gemini --api-model m --dry-run -o dry --csv dry.csv");
    written.csv("dry run", &at.join("dry.csv"));
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/inspect/capitals.json");
    done(at, &format!("scores import {log} -o imported.csv --items imported-items.csv"));
    written.csv("scores.csv", &at.join("imported.csv"));
    written.csv("items.csv", &at.join("imported-items.csv"));
    written.json("imported scores", &at.join("imported.csv.json"));
}

/// Checks the listings.
pub fn listed(written: &mut Written, at: &Path) {
    for (what, table) in [
        ("models", "models"),
        ("architectures", "architectures"),
        ("importers", "architectures"),
        ("exporters", "architectures"),
        ("tasks", "architectures"),
        ("estimators", "estimators"),
        ("corpora", "corpora"),
        ("providers", "providers"),
        ("graders", "graders"),
        ("reports", "reports"),
        ("candidates", "candidates"),
        ("columns", "columns"),
    ] {
        done(at, &format!("list {what} --csv list.csv"));
        written.csv(&format!("list {table}"), &at.join("list.csv"));
    }
}
