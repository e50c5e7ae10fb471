//! Numbers in files of other tools: how many items a score covers, and values that are not numbers.

use serde_json::{Value, json};
use surmise::import::{ImportOptions, import};

use super::importers::{KEY, brief, golden, inspect_json, of, read, refused, surmise};

#[test]
fn a_log_of_the_first_layout_has_the_name_of_its_scorer_in_the_results() {
    let imported = read("inspect/version_1.json");
    assert_eq!(brief(&imported.scores), [("capitals", 0, 4, 3, Some(2.0 / 3.0))]);
    let score = &imported.scores[0];
    assert_eq!((score.grader.as_deref(), score.n_empty), (Some("match"), 1));
    // In this log, the name of the model has no provider.
    assert_eq!((score.provider.as_str(), score.model.as_str()), ("inspect", "model"));
    let text = std::fs::read(golden("inspect/version_1.json")).expect("a log");
    let log: Value = serde_json::from_slice(&text).expect("JSON");
    let mut other = log.clone();
    other["results"]["metrics"]["accuracy"]["value"] = json!(0.75);
    assert!(refused("log.json", &other.to_string(), &ImportOptions::default()).contains("0.75"));
    // Without its samples, this log does not state their number, so the user must give it.
    let mut bare = log;
    bare["samples"] = Value::Null;
    let error = refused("log.json", &bare.to_string(), &ImportOptions::default());
    assert!(error.contains("--n-items 'capitals=N'"), "{error}");
    let given = ImportOptions { n_items: [("capitals".into(), 4)].into(), ..ImportOptions::default() };
    let imported = of(&[("log.json", bare.to_string())], &given).expect("a log");
    assert_eq!(brief(&imported.scores), [("capitals", 0, 4, 4, Some(0.5))]);
}

#[test]
fn examples_that_simple_evals_asked_several_times_are_replicates() {
    let name = "simple_evals/mmlu_gpt-4o-mini_20260131_120000_allresults.json";
    let text = std::fs::read(golden(name)).expect("results");
    let mut results: Value = serde_json::from_slice(&text).expect("JSON");
    let once = results["htmls"].as_array().expect("examples").clone();
    let text = |example: &Value| example.as_str().expect("text").to_owned();
    // In the second round the choices have another order, and every answer is right.
    let again = once.iter().map(|example| {
        let text = text(example).replace("A) red\nB) blue", "A) blue\nB) red");
        Value::String(text.replace("Score: 0.0", "Score: 1.0"))
    });
    let twice: Vec<Value> = once.iter().cloned().chain(again).collect();
    results["htmls"] = json!(twice);
    results["score"] = json!(0.7);
    let file = "gpqa_m_20260131_120000_allresults.json";
    let imported = of(&[(file, results.to_string())], &ImportOptions::default()).expect("results");
    let score = &imported.scores[0];
    // The empty answer of the first round does not count: the item has the grade of the second round.
    assert_eq!((score.n_items, score.accuracy, score.accuracy_all_as_wrong), (5, Some(0.8), Some(0.7)));
    assert_eq!(imported.items.len(), 10);
    assert!(imported.items.iter().filter(|item| item.row.replicate == 1).count() == 5);
    assert!(imported.notes.iter().any(|note| note.contains("asked 2 times")), "{:?}", imported.notes);
    // One additional example is not a round, so each example counts as an item.
    results["htmls"] = json!([&twice[..], &once[..1]].concat());
    results["score"] = json!(8.0 / 11.0);
    let imported = of(&[(file, results.to_string())], &ImportOptions::default()).expect("results");
    assert_eq!((imported.scores[0].n_items, imported.items.len()), (11, 11));
    // If all examples have the same prompt, rounds cannot be detected, so each example counts as an item.
    let bare = (0..).zip(&once).map(|(n, example)| {
        text(example).replace(&format!("Question {n}"), "Question").replace("Score: 0.0", "Score: 1.0")
    });
    results["htmls"] = json!(bare.collect::<Vec<_>>());
    results["score"] = json!(1.0);
    let imported = of(&[(file, results.to_string())], &ImportOptions::default()).expect("results");
    assert_eq!(imported.scores[0].n_items, 5);
    // The same holds if the number of examples is even or has several divisors.
    for n in [4, 6, 9] {
        let same = text(&once[0]).replace("Score: 0.0", "Score: 1.0");
        results["htmls"] = json!(vec![same; n]);
        let imported = of(&[(file, results.to_string())], &ImportOptions::default()).expect("results");
        assert_eq!((imported.scores[0].n_items, imported.items.len()), (n, n));
        assert!(imported.items.iter().all(|item| item.row.replicate == 0));
    }
}

#[test]
fn a_value_that_is_not_a_number_is_an_unreadable_answer_in_every_tool() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run_spec.json", "scenario_state.json", "stats.json", "per_instance_stats.json"] {
        let text = std::fs::read_to_string(golden(&format!("helm/simple_mcqa/{name}"))).expect("a file");
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        let is_it = |stat: &&mut Value| stat["name"]["name"] == "exact_match";
        if name == "per_instance_stats.json" {
            // In the first instance, this statistic is not a number. In the second instance, it is missing.
            let list = value.as_array_mut().expect("instances");
            let stats = list[0]["stats"].as_array_mut().expect("statistics");
            stats.iter_mut().find(is_it).expect("a statistic")["sum"] = Value::Null;
            let stats = list[1]["stats"].as_array_mut().expect("statistics");
            stats.retain_mut(|stat| !is_it(&stat));
        } else if name == "stats.json" {
            let stats = value.as_array_mut().expect("statistics");
            stats.iter_mut().filter(is_it).for_each(|stat| stat["sum"] = Value::Null);
        }
        let text = value.to_string().replace("\"sum\":null", "\"sum\":NaN");
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let options = ImportOptions { metric: Some("exact_match".into()), ..ImportOptions::default() };
    let imported = import(&[folder.path().to_path_buf()], &options).expect("a run");
    let score = &imported.scores[0];
    assert_eq!((score.n_items, score.n_scored, score.n_unreadable), (5, 4, 1));
    let notes = imported.notes.join("\n");
    assert!(notes.contains("1 instances have no value of exact_match"), "{notes}");
    // Samples of the harness may also contain grades that are not numbers.
    let line = |n: u32, grade: &str| {
        format!(
            "{{\"doc_id\":{n},\"target\":\"a\",\"resps\":[[\"a\"]],\"filtered_resps\":[\"a\"],\
             \"filter\":\"none\",\"exact_match\":{grade}}}\n"
        )
    };
    let text = line(0, "1.0") + &line(1, "NaN") + &line(2, "0.0");
    let given = ImportOptions { model: Some("m".into()), shots: Some(0), ..ImportOptions::default() };
    let imported = of(&[("samples_t_1.jsonl", text)], &given).expect("samples");
    let score = &imported.scores[0];
    assert_eq!((score.n_items, score.n_scored, score.n_unreadable), (3, 2, 1));
    assert_eq!(score.accuracy, Some(0.5));
}

#[test]
fn a_metric_of_the_harness_that_is_not_a_number_is_left_out_and_others_keep_their_names() {
    let results = r#"{"results": {"t": {"alias": "t", "acc,none": 0.5, "acc_norm,none": NaN}},
        "n-shot": {"t": 0}, "n-samples": {"t": {"effective": 2}}, "config": {"model": "hf"},
        "model_name": "m"}"#;
    let given = ImportOptions { model: Some("m".into()), ..ImportOptions::default() };
    let imported = of(&[("results_1.json", results.into())], &given).expect("results");
    assert_eq!(brief(&imported.scores), [("t/acc,none", 0, 2, 2, Some(0.5))]);
    let notes = imported.notes.join("\n");
    assert!(notes.contains("t/acc_norm,none: not imported: acc_norm,none is not a number"), "{notes}");
    // The samples files next to the results contain the grades.
    let line = |n: u32, norm: &str| {
        format!(
            "{{\"doc_id\":{n},\"target\":\"a\",\"resps\":[[\"a\"]],\"filtered_resps\":[\"a\"],\
             \"filter\":\"none\",\"acc\":{},\"acc_norm\":{norm}}}\n",
            n % 2
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("results_1.json"), folder.path().join("samples_t_1.jsonl"));
    std::fs::write(&one, results).expect("a file");
    std::fs::write(other, line(0, "1.0") + &line(1, "NaN")).expect("a file");
    let imported = import(&[one], &given).expect("results");
    let scores = brief(&imported.scores);
    assert_eq!(
        scores,
        [("t/acc,none", 0, 2, 2, Some(0.5)), ("t/acc_norm,none", 0, 2, 1, Some(1.0))],
        "{:?}",
        imported.notes
    );
}

#[test]
fn scores_without_a_number_of_items_need_one() {
    let record = |score: f64, version: &str| {
        json!({"schema_version": version, "evaluation_id": "x/1",
               "retrieved_timestamp": "1770682486", "model_info": {"name": "m", "id": "a/m"},
               "evaluation_results": [{"evaluation_name": "MMLU", "source_data": {"dataset_name": "MMLU"},
                   "metric_config": {"metric_name": "accuracy", "lower_is_better": false},
                   "score_details": {"score": score}}]})
        .to_string()
    };
    let (one, whole) = (record(0.25, "0.3.0"), ImportOptions::default());
    assert!(refused("r.json", &one, &whole).contains("--n-items 'MMLU=N'"));
    let n_items = [("MMLU".into(), 1000), ("other".into(), 5)].into();
    let given = ImportOptions { n_items, shots: Some(5), ..ImportOptions::default() };
    // Two files agree if their sums differ only in the last digit.
    let files = [("a.json", one.clone()), ("b.json", record(0.25 + 1e-15, "0.3.0"))];
    let imported = of(&files, &given).expect("a record");
    assert_eq!(brief(&imported.scores), [("MMLU", 5, 1000, 1000, Some(0.25))]);
    assert_eq!(imported.faults, Vec::<String>::new());
    assert_eq!(imported.provenance.sources[0].settings["--n-items MMLU"], "1000");
    let notes = imported.notes.join("\n");
    assert!(
        notes.contains("the number of items, 1000, comes from --n-items")
            && notes.contains("--n-items other is not used"),
        "{notes}"
    );
    assert!(refused("r.json", &record(0.25, "0.10.0"), &given).contains("0.10.0"));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("r.json"), one).expect("a file");
    for (n, code) in [("MMLU=1000", 0), ("MMLU", 2), ("MMLU=0", 2), ("=5", 2), ("MMLU=many", 2)] {
        let arguments = ["scores", "import", "r.json", "-o", "s.csv", "--n-items", n];
        assert_eq!(surmise(folder.path(), &arguments).status.code(), Some(code), "{n}");
    }
    // A key in the name of a task is redacted.
    let n_items = [(KEY.to_owned(), 1000)].into();
    let keyed = ImportOptions { n_items, shots: Some(5), ..ImportOptions::default() };
    let imported = of(&[("k.json", record(0.25, "0.3.0").replace("MMLU", KEY))], &keyed).expect("a record");
    let written = serde_json::to_string(&imported.provenance).expect("JSON") + &imported.notes.join(" ");
    assert!(written.contains("--n-items") && !written.contains(KEY), "{written}");
    // A key in the name of a scorer is redacted.
    let text = inspect_json().to_string().replace("first_letter", KEY);
    let imported = of(&[("log.json", text)], &whole).expect("a log");
    assert!(!format!("{imported:?}").contains(KEY), "{imported:?}");
}

/// A log of one scorer with four samples, of which one has no answer.
pub fn log_with_a_gap() -> Value {
    let sample = |n: usize, value: &str| {
        json!({"id": n, "epoch": 1, "input": "q", "target": "a",
               "output": {"choices": [{"message": {"content": "x"}, "stop_reason": "stop"}],
                          "completion": "x"},
               "scores": {"match": {"value": value, "answer": "x"}}})
    };
    let samples: Vec<Value> = ["C", "C", "I", "N"].into_iter().zip(1..).map(|(v, n)| sample(n, v)).collect();
    json!({"version": 2, "status": "success",
        "eval": {"task": "t", "task_args": {"fewshot": 0}, "model": "p/m", "dataset": {"samples": 4},
                 "config": {}, "created": "2026-01-01T00:00:00Z"},
        "results": {"total_samples": 4, "completed_samples": 4, "scores": [{"name": "match",
            "scorer": "match", "scored_samples": 4, "metrics": {"accuracy": {"value": 0.5}}}]},
        "samples": samples})
}

#[test]
fn a_file_without_answers_agrees_with_one_that_has_them() {
    let whole = log_with_a_gap();
    let mut bare = whole.clone();
    bare["samples"] = Value::Null;
    let (whole, bare) = (whole.to_string(), bare.to_string());
    for files in
        [[("a.json", whole.clone()), ("b.json", bare.clone())], [("a.json", bare), ("b.json", whole)]]
    {
        let imported = of(&files, &ImportOptions::default()).expect("logs");
        // Two of three answers are right; one of the four samples has no answer.
        assert_eq!(brief(&imported.scores), [("t", 0, 4, 3, Some(2.0 / 3.0))], "{:?}", imported.faults);
        assert_eq!((imported.items.len(), imported.faults.len()), (4, 0));
        assert_eq!(imported.scores[0].accuracy_all_as_wrong, Some(0.5));
    }
}

#[test]
fn a_log_without_samples_states_what_it_leaves_out() {
    let mut log = log_with_a_gap();
    log["samples"] = Value::Null;
    // Nine of ten samples were completed, and six were scored.
    log["results"] = json!({"total_samples": 10, "completed_samples": 9, "scores": [
        {"name": "a", "scorer": "a", "scored_samples": 6, "metrics": {"mean": {"value": 0.5}}},
        {"name": "b", "scorer": "b", "scored_samples": 9, "metrics": {"std": {"value": 0.5}}},
        {"name": "c", "scorer": "c", "scored_samples": 9, "metrics": {"mean": {"value": 12.5}}}]});
    let imported = of(&[("log.json", log.to_string())], &ImportOptions::default()).expect("a log");
    assert_eq!(brief(&imported.scores), [("t/a", 0, 10, 6, Some(0.5))]);
    let score = &imported.scores[0];
    assert_eq!((score.n_error, score.n_unreadable, score.accuracy_all_as_wrong), (1, 3, Some(0.3)));
    let notes = imported.notes.join("\n");
    assert!(notes.contains("b is not imported") && notes.contains("c is not imported"), "{notes}");
}

#[test]
fn an_item_with_a_missing_replicate_has_the_number_of_the_tool() {
    let mut log = log_with_a_gap();
    // The sample without an answer has a right answer in the second epoch; the other samples have the same
    // answers in both epochs.
    let once = log["samples"].as_array().expect("samples").clone();
    let again = once.iter().cloned().map(|mut sample| {
        sample["epoch"] = json!(2);
        if sample["scores"]["match"]["value"] == "N" {
            sample["scores"]["match"]["value"] = json!("C");
        }
        sample
    });
    log["samples"] = once.iter().cloned().chain(again).collect();
    log["eval"]["config"]["epochs"] = json!(2);
    log["results"]["scores"][0]["metrics"]["accuracy"]["value"] = json!(0.625);
    let imported = of(&[("log.json", log.to_string())], &ImportOptions::default()).expect("a log");
    let score = &imported.scores[0];
    assert_eq!((score.n_items, score.n_scored, score.accuracy), (4, 4, Some(0.75)));
    assert_eq!(score.accuracy_all_as_wrong, Some(0.625));
}

#[test]
fn a_run_of_helm_with_as_many_instances_as_its_limit_is_named() {
    let names = ["run_spec.json", "scenario_state.json", "stats.json", "per_instance_stats.json"];
    let folder = tempfile::tempdir().expect("a folder");
    for (most, is_named) in [(6, true), (7, false)] {
        for name in names {
            let text = std::fs::read_to_string(golden(&format!("helm/simple_mcqa/{name}"))).expect("a file");
            let mut value: Value = serde_json::from_str(&text).expect("JSON");
            if name == "run_spec.json" {
                value["adapter_spec"]["max_eval_instances"] = json!(most);
            }
            std::fs::write(folder.path().join(name), value.to_string()).expect("a file");
        }
        let told = |options: &ImportOptions| {
            let imported = import(&[folder.path().to_path_buf()], options).expect("a run");
            imported.notes.iter().any(|note| note.contains("as its max_eval_instances allows (6)"))
        };
        assert_eq!(told(&ImportOptions::default()), is_named);
        assert!(!told(&ImportOptions { limited: true, ..ImportOptions::default() }));
    }
}

#[test]
fn a_key_in_the_name_of_a_file_or_task_is_not_in_the_provenance() {
    let task = format!("golden-{KEY}");
    let results = json!({"results": {&task: {"alias": "t", "acc,none": 0.5}}, "n-shot": {&task: 0},
        "n-samples": {&task: {"effective": 2}}, "config": {"model": "hf"}, "model_name": "m"});
    let line = |n: u32| {
        format!(
            "{{\"doc_id\":{n},\"target\":\"a\",\"resps\":[[\"a\"]],\"filtered_resps\":[\"a\"],\
             \"filter\":\"none\",\"acc\":{}}}\n",
            n % 2
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("results_1.json");
    std::fs::write(&path, results.to_string()).expect("a file");
    std::fs::write(folder.path().join(format!("samples_{task}_1.jsonl")), line(0) + &line(1))
        .expect("a file");
    let given = ImportOptions { model: Some("m".into()), ..ImportOptions::default() };
    let imported = import(&[path], &given).expect("results");
    let written = serde_json::to_string(&imported.provenance).expect("JSON");
    assert!(!written.contains(KEY) && written.contains("\"golden-[REDACTED]\":"), "{written}");
    // The recorded file name includes the name of the run folder, so a key in the name of the folder is
    // redacted.
    let run = folder.path().join(format!("run-{KEY}"));
    std::fs::create_dir(&run).expect("a folder");
    for name in ["run_spec.json", "scenario_state.json", "stats.json", "per_instance_stats.json"] {
        std::fs::copy(golden(&format!("helm/simple_mcqa/{name}")), run.join(name)).expect("a file");
    }
    let imported = import(&[run], &ImportOptions::default()).expect("a run");
    let written = serde_json::to_string(&imported.provenance).expect("JSON");
    assert!(!written.contains(KEY) && written.contains("run-[REDACTED]/run_spec.json"), "{written}");
}
