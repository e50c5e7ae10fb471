//! Scores of the lm-evaluation-harness: files written by the tool itself (`tests/golden/lm_eval`), and the
//! formats of its older versions.

use std::path::{Path, PathBuf};

use serde_json::json;
use surmise::collect::Score;
use surmise::import::{ImportOptions, Imported, import};
use surmise::numeric::proportions::wilson;
use surmise::{Error, Result};

fn golden(begins: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lm_eval");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let named = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().starts_with(begins);
    entries.filter(named).min().expect("a golden file")
}

fn read(name: &str, text: &str, options: &ImportOptions) -> Result<Imported> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    import(&[path], options)
}

fn brief(scores: &[Score]) -> Vec<(&str, usize, usize, Option<f64>)> {
    scores.iter().map(|score| (score.task.as_str(), score.shots, score.n_items, score.accuracy)).collect()
}

#[test]
fn a_run_of_the_tool_is_imported_with_its_samples() {
    let imported = import(&[golden("results_")], &ImportOptions::default()).expect("scores");
    assert_eq!(
        brief(&imported.scores),
        [
            ("golden_gen/exact_match,first-letter", 2, 8, Some(0.0)),
            ("golden_gen/exact_match,strict-match", 2, 8, Some(0.75)),
            ("golden_mc/acc,none", 0, 12, Some(1.0 / 3.0)),
            ("golden_mc/acc_norm,none", 0, 12, Some(1.0 / 3.0)),
        ]
    );
    let score = &imported.scores[2];
    assert_eq!((score.accuracy_low, score.accuracy_high), wilson(4.0, 12).unzip());
    // The mean log-probability of the right choices in the samples, computed independently.
    assert!((score.mean_logprob.expect("of the samples") - -0.555_342_387_511_341_1).abs() < 1e-12);
    assert_eq!((score.provider.as_str(), score.model.as_str()), ("dummy", "i82qcls7"));
    assert!(score.collected_at.as_deref().expect("a date").starts_with("2026-11-23T10:37:43"));
    let source = &imported.provenance.sources[0];
    assert_eq!(source.samples_sha256.len(), 2);
    assert_eq!(source.settings["lm_eval_version"], "0.4.13");
    let one = ImportOptions { metric: Some("exact_match,strict-match".into()), ..ImportOptions::default() };
    let imported = import(&[golden("results_")], &one).expect("scores");
    assert_eq!(brief(&imported.scores), [("golden_gen", 2, 8, Some(0.75))]);
    assert!(
        imported.notes.iter().any(|note| note.contains("golden_mc has no metric")),
        "{:?}",
        imported.notes
    );
}

#[test]
fn samples_alone_need_a_model_and_shots() {
    let path = golden("samples_golden_mc_");
    assert!(matches!(
        import(std::slice::from_ref(&path), &ImportOptions::default()),
        Err(Error::Foreign { .. })
    ));
    let told = ImportOptions {
        model: Some("m".into()),
        shots: Some(5),
        metric: Some("acc".into()),
        ..ImportOptions::default()
    };
    let imported = import(&[path], &told).expect("scores");
    assert_eq!(brief(&imported.scores), [("golden_mc", 5, 12, Some(1.0 / 3.0))]);
}

#[test]
fn an_answer_that_never_came_is_empty_and_not_wrong() {
    let line = |document: usize, answer: &str, right: f64| {
        json!({"doc_id": document, "target": "Paris",
            "arguments": {"gen_args_0": {"arg_0": ["[{\"role\": \"user\", \"content\": \"x\"}]"]}},
               "resps": [[answer]], "filtered_resps": [answer], "filter": "none", "exact_match": right})
        .to_string()
    };
    let text = format!(
        "{}\n{}\n{}\n{}\n",
        line(0, " Paris", 1.0),
        line(1, "", 0.0),
        line(2, "Rome", 0.0),
        line(3, "", 0.0)
    );
    let told = ImportOptions { model: Some("m".into()), shots: Some(0), ..ImportOptions::default() };
    let imported = read("samples_capitals_2026-01-01T00-00-00.0.jsonl", &text, &told).expect("scores");
    let score = &imported.scores[0];
    assert_eq!((score.n_items, score.n_scored, score.n_empty), (4, 2, 2));
    assert_eq!((score.accuracy, score.accuracy_all_as_wrong), (Some(0.5), Some(0.25)));
    let twice = format!("{0}\n{0}\n", line(0, "Paris", 1.0));
    let error = read("samples_c_t.jsonl", &twice, &told).expect_err("a document twice").to_string();
    assert!(error.contains("document 0 twice"), "{error}");
    let cut = format!("{}\n{}", line(0, "Paris", 1.0), &line(1, "Paris", 1.0)[..40]);
    assert!(matches!(read("samples_c_t.jsonl", &cut, &told), Err(Error::Csv { line: 2, .. })));
}

#[test]
fn older_versions_are_read() {
    // Version 0.3 has no filters and no number of items, and its arguments are one string. The number of
    // items follows from the standard error: se = sqrt(p (1 - p) / (n - 1)).
    let se = (0.7_f64 * 0.3 / 999.0).sqrt();
    let old = json!({"results": {"arc_easy": {"acc": 0.7, "acc_stderr": se}}, "versions": {"arc_easy": 0},
                     "config": {"model": "hf-causal", "model_args": "pretrained=gpt2,auth_token=hf_secret",
                         "num_fewshot": 5, "limit": null}});
    let imported = read("results.json", &old.to_string(), &ImportOptions::default()).expect("scores");
    assert_eq!(brief(&imported.scores), [("arc_easy", 5, 1000, Some(0.7))]);
    assert_eq!(imported.scores[0].model, "gpt2");
    // Version 0.4.0 writes filters and `n-shot`, but not the number of items. Groups of tasks also have rows,
    // and such a row may contain no metric.
    let middle = json!({"results": {"mmlu": {" ": " ", "alias": "mmlu"}, "mmlu_stem": {"acc,none": 0.7,
        "acc_stderr,none": se}, "wikitext": {"word_perplexity,none": 12.5}},
                        "group_subtasks": {"mmlu": ["mmlu_stem"], "mmlu_stem": []},
                            "n-shot": {"mmlu_stem": 0}, "model_name": "m", "config": {"model": "hf"}});
    let imported = read("results.json", &middle.to_string(), &ImportOptions::default()).expect("scores");
    assert_eq!(brief(&imported.scores), [("mmlu_stem", 0, 1000, Some(0.7))]);
    let notes = imported.notes.join("\n");
    assert!(notes.contains("mmlu is a group") && notes.contains("wikitext has no metric"), "{notes}");
    // Before 0.4.3, samples are one list without filters.
    let list = json!([{"doc_id": 0, "target": "1", "arguments": [["c", " a"], ["c", " b"]],
            "resps": [[["-3.21", "False"]], [["-1.02", "True"]]], "acc": 1.0},
                      {"doc_id": 1, "target": "0", "arguments": [["c", " a"], ["c", " b"]],
            "resps": [[["-2.0", "False"]], [["-1.0", "True"]]], "acc": false}]);
    let told = ImportOptions { model: Some("m".into()), shots: Some(0), ..ImportOptions::default() };
    let text = serde_json::to_string_pretty(&list).expect("JSON");
    let imported = read("samples_x_t.jsonl", &text, &told).expect("scores");
    assert_eq!(brief(&imported.scores), [("x", 0, 2, Some(0.5))]);
    assert!((imported.scores[0].mean_logprob.expect("pairs") - -1.51).abs() < 1e-12);
}

#[test]
fn numbers_that_python_writes_but_json_lacks_are_read() {
    let text = r#"{"results": {"a": {"acc,none": 0.5, "acc_stderr,none": "N/A"},
                    "b": {"acc,none": NaN, "perplexity,none": Infinity}},
                   "n-shot": {"a": 0, "b": 0}, "n-samples": {"a": {"effective": 4}},
                    "model_name": "m", "config": {}}"#;
    let imported = read("results_t.json", text, &ImportOptions::default()).expect("scores");
    assert_eq!(brief(&imported.scores), [("a", 0, 4, Some(0.5))]);
    let notes = imported.notes.join("\n");
    assert!(
        notes.contains("b: not imported: acc,none is not a number") || notes.contains("acc is not a number"),
        "{notes}"
    );
}

#[test]
fn settings_that_may_contain_a_key_are_left_out_and_named() {
    let secret = "sk-0123456789abcdef0123";
    for arguments in [
        json!({"model": "gpt-x", "header": {"Authorization": secret}, "api_key": secret,
            "base_url": format!("https://h/?key={secret}")}),
        json!(format!("model=gpt-x,auth_token={secret},{secret}")),
        json!(format!("model=gpt-x,header={{'a':'b','Authorization':'Bearer {secret}=='}}")),
        json!({"model": "gpt-x", secret: 1, "revision": format!("https://u:{secret}@h")}),
    ] {
        let text = json!({"results": {"a": {"acc,none": 0.5}}, "n-shot": {"a": 0},
            "n-samples": {"a": {"effective": 4}},
                          "config": {"model": "openai-chat-completions", "model_args": arguments,
                              "gen_kwargs": {"token": secret}}, "surprise": secret});
        let imported = read("results_t.json", &text.to_string(), &ImportOptions::default()).expect("scores");
        let written =
            format!("{:?} {}", imported.scores, serde_json::to_string(&imported.provenance).expect("JSON"));
        let notes = imported.notes.join("\n");
        assert!(!written.contains(secret) && !notes.contains(secret), "{written}\n{notes}");
        for member in ["config.model_args.", "surprise", "config.gen_kwargs"] {
            assert!(notes.contains(member), "{member}: {notes}");
        }
        assert_eq!(
            (imported.scores[0].model.as_str(), imported.scores[0].provider.as_str()),
            ("gpt-x", "openai-chat-completions")
        );
    }
}

#[test]
fn a_group_is_not_a_task_and_a_url_or_key_is_not_a_setting() {
    let secret = "sk-0123456789abcdef0123";
    let of = |model: &str| {
        json!({"results": {"a": {"acc,none": 0.5}, "g": {"acc,none": 0.5}},
            "groups": {"g": {"acc,none": 0.5}},
               "n-shot": {"a": 0, "g": 0}, "n-samples": {"a": {"effective": 4}, "g": {"effective": 4}},
                   "model_name": model,
               "config": {"model": "local", "model_args": {"pretrained": "https://h/m?key=x",
                   "revision": secret}}})
        .to_string()
    };
    let imported = read("results_t.json", &of("m"), &ImportOptions::default()).expect("scores");
    assert_eq!(brief(&imported.scores), [("a", 0, 4, Some(0.5))]);
    let notes = imported.notes.join("\n");
    assert!(notes.contains("g is a group") && !notes.contains(secret), "{notes}");
    let source = &imported.provenance.sources[0];
    for name in ["pretrained", "revision"] {
        let name = format!("config.model_args.{name}");
        assert!(source.left_out.contains(&name) && !source.settings.contains_key(&name), "{source:?}");
    }
    for model in [secret, "https://h/m?key=x"] {
        let error =
            read("results_t.json", &of(model), &ImportOptions::default()).expect_err(model).to_string();
        assert!(error.contains("--model") && !error.contains(model), "{error}");
        let options = ImportOptions { model: Some("m".into()), ..ImportOptions::default() };
        assert_eq!(read("results_t.json", &of(model), &options).expect("scores").scores[0].model, "m");
    }
}

#[test]
fn unimportable_files_are_reported() {
    let base = |limit: serde_json::Value| {
        json!({"results": {"a": {"acc,none": 0.5}}, "n-shot": {"a": 0}, "n-samples": {"a": {"effective": 4}},
            "model_name": "m", "config": {"limit": limit}})
        .to_string()
    };
    let error =
        |text: &str| read("results_t.json", text, &ImportOptions::default()).expect_err(text).to_string();
    assert!(error(&base(json!(10.0))).contains("--limited"));
    assert!(
        read(
            "results_t.json",
            &base(json!(10.0)),
            &ImportOptions { limited: true, ..ImportOptions::default() }
        )
        .is_ok()
    );
    for other in ["", "{", "[]", "{\"accuracy\": 0.5}", "item,correct\n1,1\n"] {
        let error = error(other);
        assert!(error.contains("results_t.json") && error.contains("lm-evaluation-harness"), "{error}");
        assert!(error.contains("samples_*.jsonl"), "{error}");
    }
    assert!(error("{\"results\":{}}").contains("no `results`"));
    assert!(error("{\"results\":{\"a\":{\"acc,none\":0.5}},\"model_name\":\"m\"}").contains("--shots"));
    assert!(error("{\"results\":{\"a\":{\"acc,none\":0.5}},\"n-shot\":{\"a\":0}}").contains("--model"));
    let path = golden("results_");
    // If the same file is given twice, its scores are imported once.
    let twice = import(&[path.clone(), path], &ImportOptions::default()).expect("scores");
    assert_eq!((twice.scores.len(), twice.faults.len()), (4, 0));
    // The samples file next to the results comes from another run.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("results_t.json"), base(json!(null))).expect("a file");
    std::fs::write(
        folder.path().join("samples_a_t.jsonl"),
        "{\"doc_id\":0,\"filter\":\"none\",\"acc\":1.0}\n",
    )
    .expect("a file");
    let error = import(&[folder.path().join("results_t.json")], &ImportOptions::default())
        .expect_err("another run")
        .to_string();
    assert!(error.contains("samples_a_t.jsonl") && error.contains("different runs"), "{error}");
}
