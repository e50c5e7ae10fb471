//! Tests that a page has less than 2 MB, for fifty models and for any contents of the folder.

use std::fmt::Write;
use std::path::Path;

use surmise::report::html;

use super::page::data;

const LARGEST: usize = 2_000_000;

fn page(folder: &Path) -> String {
    String::from_utf8(html::page(folder).expect("a page").to_bytes()).expect("UTF-8")
}

/// Writes profiles, predictions and answers of `models` models.
fn fill(folder: &Path, models: usize, blocks: usize, answers: usize, answer: &str) {
    let mut profiles = String::from(
        "model,family,n_params,corpus,shots,block,blocks,macro_share,macro_share_stderr,macro_nats,\
         macro_nats_stderr,micro_nats,micro_nats_stderr,emergence_nats,emergence_nats_stderr,output_share,\
         output_share_stderr,macro_share_random_init,macro_share_random_init_stderr,\
         macro_share_permuted_relations,macro_share_no_shared_answer,\
         macro_share_no_shared_answer_random_init,macro_share_permuted_answers,macro_share_foreign_query,\
         macro_share_half_sets,micro_nats_half_sets,mean_power_share,noise_scale,sets,queries,relations,\
         seed,is_headline,profile\n",
    );
    let mut predictions =
        String::from("target_model,family,corpus,target,unit,y_hat,low,high,measured,note\n");
    for model in 0..models {
        for corpus in ["moons", "guilds", "potions"] {
            for shots in [1, 2, 4, 8] {
                for block in 1..=blocks {
                    let share = f64::from((model * block * shots % 97) as u32) / 97.3;
                    writeln!(
                        profiles,
                        "model-{model},family-{},{},{corpus},{shots},{block},{blocks},{share},0.0123456789,\
                         0.1,,0.123456789,,0.234567891,,0.345678912,,0.0456789123,0.0567891234,,0.6789123,,\
                         ,,0.7891234,,,0.2,10,10,3,0,false,model-{model}--{corpus}",
                        model % 5,
                        1000 * (model + 1)
                    )
                    .expect("a text");
                }
                let note = if model % 7 == 0 { "the row lies beyond the range of the card" } else { "" };
                let y_hat = if note.is_empty() { "0.123456789,0.1,0.987654321" } else { ",," };
                writeln!(
                    predictions,
                    "model-{model},family-{},{corpus}-{shots},share,share,{y_hat},0.{}5,{note}",
                    model % 5,
                    model % 9
                )
                .expect("a text");
            }
        }
        let own = folder.join(format!("answers/model-{model}"));
        std::fs::create_dir_all(&own).expect("a folder");
        let mut items = String::from(
            "task,shots,id,question,replicate,kind,credit,credit_per_byte,logprob_nats,answer,gold,\
             finish_reason,model_snapshot,system_fingerprint,prompt_tokens,completion_tokens,collected_at\n",
        );
        for at in 0..answers {
            writeln!(
                items,
                "semantic/moons,1,semantic/moons/{at},q,0,scored,1,,-0.5,{answer},\"[\"\"x\"\"]\",,,,,,"
            )
            .expect("a text");
        }
        std::fs::write(own.join("items.csv"), items).expect("a file");
    }
    std::fs::create_dir_all(folder.join("profiles")).expect("a folder");
    std::fs::write(folder.join("profiles/profiles.csv"), profiles).expect("a file");
    std::fs::write(folder.join("predictions.csv"), predictions).expect("a file");
}

#[test]
fn fifty_models_take_less_than_two_megabytes_and_what_is_left_out_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path(), 50, 24, 600, "a plausible answer of a few words");
    let html = page(folder.path());
    assert!(html.len() < LARGEST, "{} bytes", html.len());
    let data = data(&html);
    assert_eq!(data["problems"], serde_json::json!([]));
    // No profile is left out: 150 profiles with 24 blocks by 4 columns.
    let profiles = &data["profiles"];
    assert_eq!((&profiles["n"], &profiles["n_left_out"]), (&150.into(), &0.into()));
    let section = &data["predictions"][0];
    assert!(section["svg"].is_string());
    let shown = section["table"]["rows"].as_array().expect("rows").len() as u64;
    assert_eq!(shown + section["table"]["left_out"].as_u64().expect("a count"), 600);
    let folders = data["answers"]["items"]["folders"].as_array().expect("folders");
    let count = |name: &str| folders.iter().map(|f| f[name].as_u64().expect("a count")).sum::<u64>();
    let rows = data["answers"]["items"]["rows"].as_array().expect("rows");
    assert_eq!((count("n"), count("n_shown")), (30_000, rows.len() as u64));
    assert!(folders.iter().all(|folder| folder["n_shown"].as_u64() > Some(20)), "every model has answers");
}

#[test]
fn a_page_stays_small_if_everything_is_large() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each `<` takes six bytes in the page.
    fill(folder.path(), 130, 40, 120, &"<".repeat(500));
    let long: Vec<_> = (0..3000).map(|k| serde_json::json!({"id": k, "note": "<".repeat(300)})).collect();
    let settings: serde_json::Map<_, _> =
        (0..3000).map(|k| (format!("s{k}"), "<".repeat(3000).into())).collect();
    let study = serde_json::json!({"name": "large", "models": long, "tasks": long, "settings": settings});
    std::fs::write(folder.path().join("study.json"), study.to_string()).expect("a file");
    std::fs::write(folder.path().join("study.toml"), "<".repeat(100_000)).expect("a file");
    let html = page(folder.path());
    assert!(html.len() < LARGEST, "{} bytes", html.len());
    let profiles = &data(&html)["profiles"];
    let shown = profiles["list"].as_array().expect("profiles").len() as u64;
    let left = profiles["n_left_out"].as_u64().expect("a count");
    assert!(left > 0 && shown + left == 390, "{shown} and {left}");
}
