//! Imports files that other tools wrote (`tests/golden`), and copies of these files with faults.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use surmise::Error;
use surmise::collect::{GradeKind, Score};
use surmise::import::{ImportOptions, Imported, import, items_csv};

pub const KEY: &str = "sk-proj-0123456789abcdefghijKLMN";

pub fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

pub fn read(path: &str) -> Imported {
    import(&[golden(path)], &ImportOptions::default()).unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// Writes files into a folder and imports them.
pub fn of(files: &[(&str, String)], options: &ImportOptions) -> surmise::Result<Imported> {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = files.iter().map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    });
    import(&paths.collect::<Vec<_>>(), options)
}

pub fn refused(name: &str, text: &str, options: &ImportOptions) -> String {
    of(&[(name, text.into())], options).expect_err("a refusal").chain()
}

pub fn brief(scores: &[Score]) -> Vec<(&str, usize, usize, usize, Option<f64>)> {
    scores
        .iter()
        .map(|score| (score.task.as_str(), score.shots, score.n_items, score.n_scored, score.accuracy))
        .collect()
}

fn kinds(imported: &Imported) -> Vec<(&str, usize, &str)> {
    imported
        .items
        .iter()
        .map(|item| (item.row.id.as_str(), item.row.replicate, item.row.kind.name()))
        .collect()
}

pub fn surmise(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).current_dir(folder).args(arguments).output().expect("a run")
}

pub fn inspect_json() -> Value {
    let text = std::fs::read(golden("inspect/capitals.json")).expect("a log");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn a_log_of_inspect_gives_the_same_as_archive_and_as_json() {
    let (archive, text) = (read("inspect/capitals.eval"), read("inspect/capitals.json"));
    assert_eq!(archive.scores.len(), 2);
    // The two logs come from two runs with the same answers.
    assert_eq!(brief(&archive.scores), brief(&text.scores));
    assert_eq!(kinds(&archive), kinds(&text));
    // One of the two answers for France is right, and one of the two for Peru. The answer for Chile was
    // withheld. The answer for Kenya is wrong for one scorer and missing for the other. The sample for Fiji
    // failed.
    assert_eq!(
        brief(&archive.scores),
        [("capitals/first_letter", 2, 5, 2, Some(0.5)), ("capitals/match", 2, 5, 3, Some(1.0 / 3.0))]
    );
    let score = &archive.scores[1];
    assert_eq!((score.n_filtered, score.n_error, score.n_unreadable), (1, 1, 0));
    assert_eq!((score.provider.as_str(), score.model.as_str()), ("mockllm", "model"));
    assert_eq!(score.model_snapshot, "mock-2026-01-01");
    assert_eq!(score.grader.as_deref(), Some("match"));
    assert_eq!(archive.scores[0].n_unreadable, 1);
    // Inspect's own accuracy counts missing answers as wrong and leaves out failed samples: it is 0.25 over 4
    // items.
    let of_four = score.accuracy_all_as_wrong.expect("items") * 5.0 / 4.0;
    assert!((of_four - 0.25).abs() < 1e-12, "{score:?}");
    assert_eq!(archive.items.len(), 20);
    let item = &archive.items.iter().find(|item| item.row.id == "capital-1").expect("Peru").row;
    assert_eq!((item.finish_reason.as_deref(), item.kind), (Some("max_tokens"), GradeKind::Scored));
    let notes = archive.notes.join("\n");
    for told in [
        "2 answers were truncated at the token limit",
        "6 answers have token log-probabilities",
        "looks like a key",
        "capital-4, error",
    ] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    assert!(!format!("{archive:?}").contains(KEY));
    assert_eq!(archive.provenance.sources[0].settings["packages.inspect_ai"], "0.3.285");
}

#[test]
fn a_log_of_inspect_on_a_part_or_of_another_version_is_refused() {
    let path = golden("inspect/limited.eval");
    let error =
        import(std::slice::from_ref(&path), &ImportOptions::default()).expect_err("a part").to_string();
    assert!(error.contains("limit 1") && error.contains("--limited"), "{error}");
    let limited = ImportOptions { limited: true, ..ImportOptions::default() };
    assert_eq!(import(&[path], &limited).expect("a part").scores[0].n_items, 1);
    let changed = |change: fn(&mut Value)| {
        let mut log = inspect_json();
        change(&mut log);
        log.to_string()
    };
    let whole = ImportOptions::default();
    for (change, told) in [
        ((|log| log["version"] = json!(3)) as fn(&mut Value), "version 3"),
        (|log| log["status"] = json!("cancelled"), "cancelled"),
        (|log| log["results"]["scores"][0]["metrics"]["accuracy"]["value"] = json!(0.9), "0.9"),
        (|log| log["version"] = json!(KEY), "[REDACTED]"),
        (|log| log["eval"]["model"] = json!(KEY), "--model"),
        (|log| log["eval"]["model"] = Value::Null, "--model"),
    ] {
        let error = refused("log.json", &changed(change), &whole);
        assert!(error.contains(told) && !error.contains(KEY), "{told}: {error}");
    }
    let text = std::fs::read_to_string(golden("inspect/capitals.json")).expect("a log");
    assert!(refused("log.json", &text[..text.len() / 2], &whole).contains("truncated"));
    let archive = std::fs::read(golden("inspect/capitals.eval")).expect("an archive");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.eval");
    for length in [100, archive.len() / 2, archive.len() - 1] {
        std::fs::write(&path, &archive[..length]).expect("a file");
        let error = import(std::slice::from_ref(&path), &whole).expect_err("cut").to_string();
        assert!(error.contains("cut.eval"), "{error}");
    }
    // The checksum detects a changed byte of the contents.
    let mut damaged = archive.clone();
    damaged[700] ^= 1;
    std::fs::write(&path, &damaged).expect("a file");
    assert!(import(std::slice::from_ref(&path), &whole).is_err());
}

#[test]
fn values_that_are_nan_or_not_shares_are_not_grades() {
    let mut log = inspect_json();
    log["results"]["scores"] = json!([]);
    log["samples"][0]["scores"]["first_letter"]["value"] = json!(7);
    let text = log.to_string().replacen("\"value\":\"I\"", "\"value\":NaN", 1);
    let imported = of(&[("log.json", text)], &ImportOptions::default()).expect("a log");
    assert_eq!(imported.scores.len(), 1);
    // One of two answers to an item has no value, so only the other answer counts.
    assert_eq!(imported.scores[0].task, "capitals");
    assert!(kinds(&imported).iter().any(|(_, _, kind)| *kind == "unreadable"), "{:?}", kinds(&imported));
    let notes = imported.notes.join("\n");
    assert!(notes.contains("1 values of the scorer first_letter are not shares"), "{notes}");
    // A key in a name is also redacted.
    let mut log = inspect_json();
    log["eval"]["task"] = json!(format!("task {KEY}"));
    let imported = of(&[("log.json", log.to_string())], &ImportOptions::default()).expect("a log");
    assert_eq!(imported.scores[1].task, "task [REDACTED]/match");
    assert!(!format!("{imported:?}").contains(KEY), "{imported:?}");
    // The log has results, but no samples.
    let mut log = inspect_json();
    log["samples"] = Value::Null;
    let imported = of(&[("log.json", log.to_string())], &ImportOptions::default()).expect("a log");
    // One of five items failed in all epochs.
    assert_eq!(brief(&imported.scores)[0], ("capitals/match", 2, 5, 4, Some(0.25)));
    assert_eq!((imported.scores[0].n_error, imported.scores[0].accuracy_all_as_wrong), (1, Some(0.2)));
    assert!(imported.items.is_empty());
}

#[test]
fn a_run_folder_of_helm_is_imported() {
    let options = ImportOptions { metric: Some("exact_match".into()), ..ImportOptions::default() };
    let imported = import(&[golden("helm/simple_mcqa")], &options).expect("a run");
    assert_eq!(brief(&imported.scores), [("simple_mcqa", 5, 6, 6, Some(5.0 / 6.0))]);
    let score = &imported.scores[0];
    assert_eq!((score.provider.as_str(), score.model.as_str()), ("simple", "simple/model1"));
    let wrong = imported.items.iter().find(|item| item.row.credit == Some(0.0)).expect("a wrong answer");
    assert_eq!((wrong.row.answer.as_str(), wrong.row.gold.as_str()), ("A", "[\"Odd\"]"));
    let all = read("helm/simple_mcqa/run_spec.json");
    let tasks: Vec<&str> = all.scores.iter().map(|score| score.task.as_str()).collect();
    assert_eq!(
        tasks,
        ["simple_mcqa/exact_match", "simple_mcqa/prefix_exact_match", "simple_mcqa/quasi_exact_match"]
    );
    assert_eq!(all.provenance.sources[0].samples_sha256.len(), 3);
    let part = import(&[golden("helm/simple_mcqa/stats.json")], &options).expect_err("a part").to_string();
    assert!(part.contains("give the folder of the run"), "{part}");
}

#[test]
fn records_of_every_eval_ever_are_imported_with_their_answers() {
    let imported = read("every_eval_ever");
    // The values equal the values in the harness's own files (see `import`), except for the name of the
    // model.
    assert_eq!(
        brief(&imported.scores),
        [
            ("golden_gen/first-letter", 2, 8, 8, Some(0.0)),
            ("golden_gen/strict-match", 2, 8, 8, Some(0.75)),
            ("golden_mc/acc", 0, 12, 12, Some(1.0 / 3.0)),
            ("golden_mc/acc_norm", 0, 12, 12, Some(1.0 / 3.0)),
        ]
    );
    assert!(imported.scores.iter().all(|score| score.model == "example/dummy"), "{:?}", imported.scores);
}

#[test]
fn old_records_and_several_models_in_one_file_are_read() {
    let record = |model: &str, score: f64, config: Value| {
        json!({"schema_version": "0.2.0", "evaluation_id": format!("x/{model}/1"),
               "retrieved_timestamp": "1770682486.6", "model_info": {"name": model, "id": model},
               "evaluation_results": [{"evaluation_name": "BBH", "metric_config": config,
                   "source_data": {"dataset_name": "BBH", "samples_number": 100},
                   "score_details": {"score": score}}]})
    };
    let share = json!({"evaluation_description": "Accuracy on BBH", "lower_is_better": false,
                       "score_type": "continuous", "min_score": 0.0, "max_score": 1.0});
    let percent = json!({"metric_name": "accuracy", "lower_is_better": false, "max_score": 100.0});
    let lines = format!("{}\n{}\n", record("a/x", 0.25, share.clone()), record("b/y", 60.0, percent));
    let imported = of(&[("all.jsonl", lines.clone())], &ImportOptions::default()).expect("records");
    assert_eq!(brief(&imported.scores), [("BBH", 0, 100, 100, Some(0.25)), ("BBH", 0, 100, 100, Some(0.6))]);
    assert!(imported.notes.iter().any(|note| note.contains("--shots")), "{:?}", imported.notes);
    let named = ImportOptions { model: Some("m".into()), ..ImportOptions::default() };
    assert!(refused("all.jsonl", &lines, &named).contains("contains 2 models"));
    // Results that are not a share of right answers are reported. The file has no other results, so nothing
    // is imported.
    for (config, told) in [
        (json!({"metric_name": "bleu", "lower_is_better": false}), "`bleu`"),
        (json!({"metric_name": "accuracy", "lower_is_better": true}), "lower values"),
        (json!({"metric_name": "accuracy", "lower_is_better": false, "min_score": -1.0}), "0 to 1"),
    ] {
        let score = if told == "0 to 1" { 7.5 } else { 0.5 };
        let error = refused("r.json", &record("a/x", score, config).to_string(), &ImportOptions::default());
        assert!(error.contains(told), "{told}: {error}");
    }
    let mut newer = record("a/x", 0.5, share.clone());
    newer["schema_version"] = json!("1.0.0");
    assert!(refused("r.json", &newer.to_string(), &ImportOptions::default()).contains("1.0.0"));
    let mut without = record("a/x", 0.5, share);
    without["evaluation_results"][0]["source_data"] = json!({"dataset_name": "BBH"});
    assert!(refused("r.json", &without.to_string(), &ImportOptions::default()).contains("number of items"));
}

#[test]
fn record_files_of_openai_evals_are_imported() {
    let imported = read("openai_evals/match.jsonl");
    // Two of six answers are right; Kenya's answer is empty.
    assert_eq!(brief(&imported.scores), [("capitals.test.v0", 0, 6, 5, Some(0.4))]);
    let score = &imported.scores[0];
    assert_eq!((score.n_empty, score.accuracy_all_as_wrong), (1, Some(1.0 / 3.0)));
    assert_eq!((score.provider.as_str(), score.model.as_str()), ("openai-evals", "answers"));
    assert_eq!(score.model_snapshot, "answers-2026-01-01");
    let graded = read("openai_evals/graded.jsonl");
    // The grading model chose no valid grade for Kenya, so the mean in the file covers five items.
    assert_eq!(graded.scores[0].task, "judged.test.v0");
    assert_eq!(graded.scores[0].n_items, 6);
    let text = std::fs::read_to_string(golden("openai_evals/match.jsonl")).expect("a record");
    let whole = ImportOptions::default();
    let lines = |keep: fn(&str) -> bool| {
        text.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert!(refused("r.jsonl", &lines(|line| !line.contains("\"spec\"")), &whole).contains("`spec`"));
    assert!(refused("r.jsonl", &lines(|line| !line.contains("final_report")), &whole).contains("--limited"));
    assert!(refused("r.jsonl", &lines(|line| line.contains("\"spec\"")), &whole).contains("no events"));
    let twice = format!("{text}{text}");
    assert!(refused("r.jsonl", &twice, &whole).contains("second run"));
    let cut = &text[..text.len() - 40];
    assert!(refused("r.jsonl", cut, &whole).contains("truncated"));
    let other = text.replace("\"accuracy\": 0.3", "\"accuracy\": 0.9");
    assert!(refused("r.jsonl", &other, &whole).contains("0.9"));
    let part = text.replace("\"max_samples\": null", "\"max_samples\": 6");
    assert!(refused("r.jsonl", &part, &whole).contains("max_samples 6"));
}

#[test]
fn result_files_of_simple_evals_are_imported() {
    let stem = "simple_evals/mmlu_gpt-4o-mini_20260131_120000";
    let (whole, page) = (read(&format!("{stem}_allresults.json")), read(&format!("{stem}.html")));
    // The answer to the fourth question is empty. The answer to the fifth contains the escaped text of a
    // score.
    assert_eq!(brief(&whole.scores), [("mmlu", 0, 5, 4, Some(0.5))]);
    assert_eq!(brief(&page.scores), brief(&whole.scores));
    assert_eq!(page.items, whole.items);
    let score = &whole.scores[0];
    assert_eq!((score.model.as_str(), score.accuracy_all_as_wrong), ("gpt-4o-mini", Some(0.4)));
    assert_eq!(score.collected_at.as_deref(), Some("2026-01-31T12:00:00Z"));
    let error = import(&[golden(&format!("{stem}.json"))], &ImportOptions::default()).expect_err("metrics");
    assert!(error.to_string().contains("_allresults.json"), "{error}");
    let text = std::fs::read_to_string(golden(&format!("{stem}_allresults.json"))).expect("results");
    let debug = "mmlu_gpt_20260131_120000_DEBUG_allresults.json";
    assert!(refused(debug, &text, &ImportOptions::default()).contains("--debug"));
    let other = text.replacen("\"score\": 0.4", "\"score\": 0.8", 1);
    assert!(refused("mmlu_m_20260131_120000.json", &other, &ImportOptions::default()).contains("0.8"));
    // For a folder, the file with all results is imported, not the three files with single results.
    assert_eq!(read("simple_evals").scores.len(), 1);
}

#[test]
fn files_that_differ_about_a_score_are_named_and_the_others_imported() {
    let mut log = inspect_json();
    for sample in log["samples"].as_array_mut().expect("samples") {
        sample["scores"]["match"] = json!({"value": "C"});
    }
    log["results"]["scores"] = json!([]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("b.json"), log.to_string()).expect("a file");
    std::fs::copy(golden("inspect/capitals.json"), folder.path().join("a.json")).expect("a copy");
    std::fs::copy(golden("inspect/capitals.eval"), folder.path().join("c.eval")).expect("a copy");
    std::fs::write(folder.path().join("other.txt"), "notes").expect("a file");
    let ran = surmise(
        folder.path(),
        &["scores", "import", "a.json", "b.json", "c.eval", "other.txt", "-o", "s.csv", "--items", "i.csv"],
    );
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{stderr}");
    for told in [
        "a.json",
        "b.json",
        "capitals/match of model",
        "not imported, because the files disagree",
        "other.txt",
    ] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
    // Scores on which the files agree are imported once.
    let scores = std::fs::read_to_string(folder.path().join("s.csv")).expect("scores");
    assert_eq!(scores.lines().count(), 2, "{scores}");
    assert!(scores.contains("capitals/first_letter"), "{scores}");
    let items = std::fs::read_to_string(folder.path().join("i.csv")).expect("items");
    assert!(items.starts_with("provider,model,task,shots,id,question,replicate,kind,credit,"), "{items}");
    assert_eq!(items.lines().count(), 11, "{items}");
    for text in [stderr.as_ref(), &scores, &items] {
        assert!(!text.contains(KEY), "{text}");
    }
    // If the same file is given twice, its scores are imported once.
    let path = golden("inspect/capitals.eval");
    let twice = import(&[path.clone(), path], &ImportOptions::default()).expect("scores");
    assert_eq!((twice.scores.len(), twice.items.len(), twice.faults.len()), (2, 20, 0));
}

#[test]
fn wrong_uses_of_the_command_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("empty")).expect("a folder");
    std::fs::copy(golden("inspect/capitals.eval"), folder.path().join("a.eval")).expect("a copy");
    for (arguments, code, told) in [
        (&["scores", "import", "empty", "-o", "s.csv"][..], 1, "no file that an importer recognises"),
        (&["scores", "import", "none.eval", "-o", "s.csv"], 1, "none.eval"),
        (&["scores", "import", "a.eval", "-o", "a.eval"], 2, "input"),
        (&["scores", "import", "a.eval", "-o", "s.csv", "--items", "a.eval"], 2, "input"),
        (&["scores", "import", "a.eval", "-o", "s.csv", "--items", "s.csv"], 2, "--items"),
        (&["scores", "import", "a.eval", "-o", "s.csv", "--metric", "none"], 1, "no scores"),
        (&["scores", "export", "empty", "--to", "inspect", "-o", "out"], 2, "inspect-json"),
        (&["scores", "export", "empty", "--to", "lm-eval", "-o", "out"], 1, "journal.jsonl"),
    ] {
        let ran = surmise(folder.path(), arguments);
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn texts_of_a_model_are_not_spreadsheet_formulas() {
    let mut imported = read("simple_evals");
    imported.items[0].row.answer = "=HYPERLINK(\"http://x\")".into();
    let text = String::from_utf8(items_csv(&imported.items).expect("CSV")).expect("text");
    assert!(text.contains("'=HYPERLINK"), "{text}");
}

#[test]
fn a_single_faulty_file_gives_its_own_error() {
    let options = ImportOptions::default();
    let path = golden("inspect/make_logs.py");
    assert!(matches!(import(&[path], &options), Err(Error::Foreign { .. })));
}
