//! Tests that a study gives the results of the single commands, and that finished tasks do not run again.

use super::support::{DESIGN, MODELS, StudyCase, results};
use crate::cli::command::rows;

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

#[test]
fn a_study_measures_and_asks_like_the_single_commands() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    let (printed, said) = case.done(&["run"]);
    assert!(said.contains("26 tasks done"), "{said}");
    assert_eq!(printed, case.read("study/predictions.csv"));
    // The profiles are the files that `measure` writes.
    let design = ["--corpus", "moons", "--shots", "1", "--sets", "4", "--queries", "4"];
    let measure = ["measure", "factgpt-3", "--family", "factgpt", "--random-init", "off", "-o", "measured"];
    case.done(&[&measure[..], &design].concat());
    let own = std::fs::read_dir(case.path("measured")).expect("a folder");
    let own = own.map(|entry| entry.expect("an entry").path());
    let profile = own.filter(|path| path.extension().is_some_and(|of| of == "json")).collect::<Vec<_>>();
    let [profile] = profile.as_slice() else { panic!("{profile:?}") };
    let name = profile.file_name().expect("a name");
    let published = case.path("study/profiles").join(name);
    assert_eq!(std::fs::read(profile).expect("a file"), std::fs::read(published).expect("the same file"));
    // Each open model has a row with the scores of its answers. Log-probabilities come from its profile.
    let table = rows(&case.read("study/observations.csv"));
    assert_eq!(table.len(), 13);
    let summaries = rows(&case.read("study/profiles/summaries.csv"));
    let of = |model: &str| table.iter().find(|row| row["target_model"] == model).expect("a row");
    let summary = summaries.iter().find(|row| row["model"] == "factgpt-3").expect("a row");
    for column in ["accuracy", "logprob_nats", "output_share"] {
        assert_eq!(of("factgpt-3")[&format!("semantic_{column}")], summary[column], "{column}");
    }
    assert!(!of("factgpt-3")["semantic_answer_share"].is_empty());
    // The row of the closed model has the scores of its answers, but not the measurements of its own profile.
    let closed = of("factqwen-4");
    assert!(closed["semantic_share_mean"].is_empty() && closed["params_b"].is_empty());
    assert!(!closed["semantic_logprob_nats"].is_empty() && !closed["semantic_answer_share"].is_empty());
    // The results of the closed model through its API equal the results in its profile, which was measured
    // afterwards.
    let checked = summaries.iter().find(|row| row["model"] == "factqwen-4").expect("a row");
    for column in ["accuracy", "logprob_nats", "output_share"] {
        let (asked, inside) = (number(&closed[&format!("semantic_{column}")]), number(&checked[column]));
        assert!((asked - inside).abs() < 1e-6, "{column}: {asked} and {inside}");
    }
    let predictions = rows(&printed);
    assert_eq!(predictions.len(), 1);
    assert_eq!(predictions[0]["measured"], checked["share_mean"]);
    for column in [
        "target_model",
        "corpus",
        "target",
        "unit",
        "y_hat",
        "low",
        "high",
        "level",
        "measured",
        "baseline_mean",
        "baseline_size",
        "status",
        "note",
    ] {
        assert!(predictions[0].contains_key(column), "{column}");
    }
    let record: serde_json::Value = serde_json::from_str(&case.read("study/study.json")).expect("JSON");
    assert_eq!(record["tasks"].as_array().map(Vec::len), Some(26));
    assert!(case.read("study/study.toml") == case.read("study.toml"));
}

#[test]
fn finished_tasks_do_not_run_again_and_a_change_repeats_only_affected_tasks() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    case.done(&["run"]);
    let before = results(&case.path("study"));
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("0 tasks done, 26 were done before"), "{said}");
    assert!(results(&case.path("study")) == before);
    // A comment and another level affect no task.
    let text = case.read("study.toml");
    case.write(&format!("# more\n{text}[calibration]\nlevel = 0.8\n"));
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("0 tasks done, 26 were done before"), "{said}");
    // Only the new model is measured and asked.
    case.write(&text.replace("factneox-[1-4]", "factneox-[1-5]"));
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("2 tasks done, 26 were done before"), "{said}");
    // The new corpus is measured on all models; its questions are added to the questions in the folder.
    case.write(&text.replace("[\"moons\"]", "[\"moons\", \"guilds\"]"));
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("26 tasks done, 13 were done before"), "{said}");
    // With the first study file again, the profiles still exist. Only the tasks that ask questions run again.
    case.write(&text);
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("13 were done before"), "{said}");
    assert!(results(&case.path("study")) == before);
    // A task with a missing result file runs again.
    let (plan, _) = case.done(&["plan", "--csv"]);
    let task = rows(&plan).into_iter().find(|row| row["task"] == "measure factgpt-1 moons").expect("a task");
    let files = std::fs::read_dir(case.path("study/tasks").join(&task["key"])).expect("a task").flatten();
    let mut files = files.map(|file| file.path()).filter(|file| file.to_string_lossy().contains("--"));
    let profile = files.next().expect("a profile");
    std::fs::remove_file(&profile).expect("a file");
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("1 task done"), "{said}");
    // A task with a damaged result file runs again, too.
    std::fs::write(&profile, "{}").expect("a file");
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("1 task done"), "{said}");
    assert!(results(&case.path("study")) == before);
}

#[test]
fn a_failed_task_does_not_stop_the_others_and_doctor_gives_the_reason() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    // This checkpoint has no tokenizer, so its tasks fail.
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/gpt2");
    let broken = case.path("broken");
    std::fs::create_dir(&broken).expect("a folder");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(format!("{golden}/{file}"), broken.join(file)).expect("a file");
    }
    let text = case.read("study.toml");
    case.write(&format!("{text}[[open]]\nfamily = \"broken\"\nmodels = [\"broken\"]\n"));
    let said = case.refused(&["run"], 3);
    assert!(said.contains("2 failed") && said.contains("26 tasks done"), "{said}");
    assert!(said.contains("measure broken moons: ") && said.contains("tokenizer"), "{said}");
    // The other models are still predicted.
    assert_eq!(rows(&case.read("study/predictions.csv")).len(), 1);
    let (status, _) = case.done(&["status"]);
    assert!(status.contains("measure broken moons: failed"), "{status}");
    let (doctor, _) = case.done(&["doctor"]);
    assert!(doctor.contains("broken") && doctor.contains("tokenizer"), "{doctor}");
}

#[test]
fn shards_in_separate_folders_are_merged_and_missing_or_different_ones_are_refused() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    case.done(&["run", "-o", "alone"]);
    for shard in ["1/3", "2/3", "3/3"] {
        let (printed, _) = case.done(&["run", "--shard", shard, "-o", &format!("s{}", &shard[..1])]);
        assert!(printed.is_empty());
    }
    let said = case.refused(&["merge", "s1", "s3", "-o", "some"], 2);
    assert!(said.contains("2/3"), "{said}");
    let text = case.read("study.toml");
    case.write(&text.replace("queries = 4", "queries = 5"));
    case.done(&["run", "--shard", "2/3", "-o", "other"]);
    let said = case.refused(&["merge", "s1", "other", "s3", "-o", "some"], 2);
    assert!(said.contains("different studies") && said.contains("`ask factgpt-1`"), "{said}");
    assert!(!case.path("some").exists());
    case.write(&text);
    case.done(&["merge", "s1", "s2", "s3", "-o", "all"]);
    let (_, said) = case.done(&["run", "-o", "all"]);
    assert!(said.contains("1 task done, 25 were done before"), "{said}");
    assert!(results(&case.path("all")) == results(&case.path("alone")));
    assert!(case.refused(&["merge", "alone", "-o", "x"], 2).contains("contains no finished shard"));
    assert!(case.refused(&["run", "--shard", "4/3"], 2).contains("I/N"));
}

#[test]
fn a_job_array_determines_the_shard() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    let mut command = case.command(&["run", "-o", "array"]);
    command.env("SLURM_ARRAY_TASK_ID", "2").env("SLURM_ARRAY_TASK_MIN", "1");
    let output = command.env("SLURM_ARRAY_TASK_COUNT", "40").output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty() && case.path("array/shards/2-of-40.json").is_file());
}

#[test]
fn other_weights_under_the_same_name_are_measured_and_asked_again() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    let text = case.read("study.toml").replace("\"factgpt-[1-4]\"", "\"m\", \"factgpt-[14]\"");
    case.write(&text);
    let weights = |of: &str| {
        std::fs::create_dir_all(case.path("m")).expect("a folder");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            let from = format!("{}/calibration/{of}/{file}", env!("CARGO_MANIFEST_DIR"));
            std::fs::copy(from, case.path("m").join(file)).expect("a file");
        }
    };
    weights("factgpt-2");
    case.done(&["run"]);
    weights("factgpt-3");
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("2 tasks done"), "{said}");
    case.done(&["run", "-o", "fresh"]);
    assert!(results(&case.path("study")) == results(&case.path("fresh")));
    // The answers of the first weights are moved to `earlier/`.
    assert_eq!(std::fs::read_dir(case.path("study/earlier")).expect("a folder").count(), 1);
}
