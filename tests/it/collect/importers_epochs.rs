//! Logs of Inspect with several epochs: reducers, failed epochs, and logs without samples.

use serde_json::{Value, json};
use surmise::import::ImportOptions;

use super::importers::{brief, of, refused};
use super::importers_numbers::log_with_a_gap;

#[test]
fn results_of_other_reducers_are_not_the_accuracy() {
    let score = |reducer: Value, accuracy: f64| {
        json!({"name": "match", "scorer": "match", "scored_samples": 4, "reducer": reducer,
               "metrics": {"accuracy": {"value": accuracy}}})
    };
    let log = |scores: Vec<Value>, reducers: Value| {
        let mut log = log_with_a_gap();
        log["samples"] = Value::Null;
        log["eval"]["config"] = json!({"epochs": 3, "epochs_reducer": reducers});
        log["results"] = json!({"total_samples": 12, "completed_samples": 12, "scores": scores});
        log.to_string()
    };
    let options = ImportOptions::default();
    for (name, accuracy) in [("max", 1.0), ("mode", 0.75), ("pass_at_2", 0.7778), ("median", 0.5)] {
        // Older logs name the reducer only in the configuration.
        for written in [json!(name), Value::Null] {
            let text = log(vec![score(written, accuracy)], json!([name]));
            let told = refused("log.json", &text, &options);
            assert!(told.contains(&format!("from the reducer {name}")) && told.contains("samples"), "{told}");
        }
        let both = log(vec![score(json!(name), accuracy), score(json!("mean"), 0.4)], json!(["mean", name]));
        let imported = of(&[("log.json", both)], &options).expect("a log");
        assert_eq!(brief(&imported.scores), [("t", 0, 4, 4, Some(0.4))], "{name}");
        let notes = imported.notes.join("\n");
        assert!(notes.contains(&format!("results of the reducers {name} are not imported")), "{notes}");
    }
}

#[test]
fn a_log_and_its_own_header_agree_if_an_epoch_failed() {
    let mut whole = log_with_a_gap();
    let once = whole["samples"].as_array().expect("samples").clone();
    // Two epochs with the values C, C, I, C; the second epoch of the first sample failed.
    let samples: Vec<Value> = (1..=2)
        .flat_map(|epoch| once.iter().cloned().map(move |sample| (epoch, sample)))
        .map(|(epoch, mut sample)| {
            sample["epoch"] = json!(epoch);
            if sample["scores"]["match"]["value"] == "N" {
                sample["scores"]["match"]["value"] = json!("C");
            }
            if epoch == 2 && sample["id"] == 1 {
                sample["scores"] = json!({});
                sample["error"] = json!({"message": "broken"});
            }
            sample
        })
        .collect();
    whole["samples"] = json!(samples);
    whole["eval"]["config"]["epochs"] = json!(2);
    whole["results"] = json!({"total_samples": 8, "completed_samples": 7, "scores": [{"name": "match",
        "scorer": "match", "scored_samples": 4, "metrics": {"accuracy": {"value": 0.75}}}]});
    let mut bare = whole.clone();
    bare["samples"] = Value::Null;
    let files = [("a.json", whole.to_string()), ("b.json", bare.to_string())];
    let imported = of(&files, &ImportOptions::default()).expect("logs");
    assert_eq!(brief(&imported.scores), [("t", 0, 4, 4, Some(0.75))], "{:?}", imported.faults);
    assert_eq!((imported.items.len(), imported.faults.len()), (8, 0));
    // If two logs of the same run state different accuracies, the message states both, also with missing
    // answers counted as wrong.
    bare["results"]["scores"][0]["metrics"]["accuracy"]["value"] = json!(0.5);
    let files =
        [("a.json", whole.to_string()), ("b.json", bare.to_string()), ("c.json", other().to_string())];
    let imported = of(&files, &ImportOptions::default()).expect("logs");
    let told = imported.faults.join("\n");
    for part in [
        "0.7500 (4 of 4 scored; 0.6250 if missing answers count as wrong)",
        "0.5000 (4 of 4",
        "one of the files has no answers",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// A log of another task.
fn other() -> Value {
    let mut log = log_with_a_gap();
    log["eval"]["task"] = json!("other");
    log
}
