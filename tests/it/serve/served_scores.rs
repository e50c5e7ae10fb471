//! Tests that a served model has the same scores over the API as in process.

use std::collections::BTreeMap;

use surmise::collect::{Completion, local};
use surmise::corpus::Category;
use surmise::model::Model;

use super::server::Serving;
use crate::support::collect_case::Case;

const SHOTS: usize = 2;
const ITEMS: usize = 15;

#[test]
fn a_served_model_has_the_scores_that_it_has_in_process() {
    // One model answers few questions right, and the other answers nearly all questions right.
    let names = ["minigpt-2", "minillama-5"];
    let server = Serving::start(&names);
    let mut accuracies = vec![];
    for name in names {
        let model = Model::load(name).expect("a model");
        for task in ["cities", "countries"] {
            let category = Category::load(task).expect("a category");
            let drawn = Completion::draw(&category, SHOTS, ITEMS, 0).expect("questions");
            let local = local::grade(&model, &drawn).expect("scores");
            for provider in ["openai-completions", "openai-chat"] {
                let case = Case::of(&format!("http://{}/v1", server.address), "");
                let output = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"))
                    .args([
                        "collect",
                        task,
                        "--provider",
                        provider,
                        "--base-url",
                        &case.url,
                        "--api-model",
                        name,
                    ])
                    // The embedded models support only lower case, and have no chat template.
                    .args(["--ignore-case", "--rendering", "text", "--no-budget", "-o", "out"])
                    .args(["--shots", &SHOTS.to_string(), "--items", &ITEMS.to_string()])
                    .env("OPENAI_API_KEY", crate::support::collect_case::KEY)
                    .current_dir(case.folder.path())
                    .output()
                    .expect("the binary");
                let ran = case.ran(&output);
                assert_eq!(ran.code, Some(0), "{}", ran.stderr);
                let scores = case.file("scores.csv");
                let rows = csv::Reader::from_reader(scores.as_bytes())
                    .into_deserialize::<BTreeMap<String, String>>();
                let rows: Vec<_> = rows.map(|row| row.expect("a row")).collect();
                assert_eq!(rows.len(), local.len());
                for (wire, local) in rows.iter().zip(&local) {
                    let accuracy: f64 = wire["accuracy"].parse().expect("a share");
                    assert_eq!((&wire["task"], &wire["shots"]), (&local.task, &local.shots.to_string()));
                    assert_eq!(
                        (&wire["n_items"], &wire["n_scored"]),
                        (&local.n_items.to_string(), &local.n_scored.to_string())
                    );
                    assert_eq!(
                        Some(accuracy),
                        local.accuracy,
                        "{name} on {task} with {} shots, {provider}",
                        local.shots
                    );
                    // The questions and their rendering are the same, and the files record this.
                    let asked =
                        [&local.task_sha256, &local.rendering, &local.seed.map(|seed| seed.to_string())];
                    for (column, own) in ["task_sha256", "rendering", "seed"].into_iter().zip(asked) {
                        assert_eq!(Some(&wire[column]), own.as_ref(), "{column}");
                    }
                    assert_eq!((wire["grader"].as_str(), wire["ignore_case"].as_str()), ("exact", "true"));
                    assert_eq!(wire["settings_sha256"].len(), 64);
                    accuracies.push(accuracy);
                }
            }
        }
    }
    // The comparison needs both low and high accuracies. Accuracies that are all 0 or all 1 would hide many
    // differences.
    assert!(accuracies.iter().any(|a| *a < 0.5) && accuracies.iter().any(|a| *a > 0.9), "{accuracies:?}");
}
