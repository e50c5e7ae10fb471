//! Tests that the whole study file is checked, and that all mistakes are reported at once with their lines.

use super::support::{DESIGN, MODELS, StudyCase};

#[test]
fn every_mistake_is_reported_at_once_with_its_line_and_what_to_do() {
    let case = StudyCase::new(
        "sead = 1
[design]
corpora = [\"moons\", \"mons\", \"moons\"]
shots = [\"1\"]
sets = 1
[[open]]
family = \"f\"
models = [\"factgtp-1\", \"nothing-*\", \"factgpt-1\"]
[[open]]
models = [\"factgpt-2\"]
[[closed]]
model = \"m\"
provider = \"openai-caht\"
[[closed]]
model = \"n\"
provider = \"openai-chat\"
budget_usd = 1
prices = \"none.toml\"
[[closed]]
model = \"k\"
provider = \"openai-chat\"
base_url = \"http://example.org/v1\"
[calibration]
target = \"semantic_share_meen\"
features = [\"semantic_share_half\", \"semantic_acuracy\"]
level = 2
",
    );
    let said = case.refused(&["run"], 2);
    for part in [
        // Mistakes in the file itself.
        "line 1: unknown key `sead`",
        "did you mean seed?",
        "line 4: `shots` must be a list of whole numbers (item 1 is a string)",
        "line 5: `sets` must be a whole number from 4 to 256, but is 1",
        "line 9: [[open]] has no `family`",
        "line 23: `level` must be below 1, but is 2",
        // Names, paths and URLs in the file that are wrong.
        "line 3: unknown corpus `mons`",
        "line 3: moons is listed twice",
        "line 8: unknown model `factgtp-1`: did you mean factgpt-1?",
        "line 8: no model matches the pattern `nothing-*`",
        "line 13: unknown provider `openai-caht`",
        "line 14: https://api.openai.com/v1: there is no key: set the environment variable OPENAI_API_KEY",
        "line 18: cannot read",
        "line 22: `base_url` must begin with https://",
        "line 24: unknown target `semantic_share_meen`; did you mean semantic_share_mean?",
        "line 25: feature `semantic_share_half` is measured inside a model",
        "line 25: unknown feature `semantic_acuracy`; did you mean semantic_accuracy?",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nothing was started.
    assert!(!case.path("study").exists());
}

#[test]
fn mistakes_of_syntax_are_reported_with_their_line() {
    let case = StudyCase::new("name = \"a\"\n[design\ncorpora = [\n");
    let said = case.refused(&["plan"], 2);
    assert!(said.contains("study.toml: 1 mistake\n  line 2: "), "{said}");
    // A text without quotes does not hide the other mistakes.
    let case = StudyCase::new(
        "[design]\ncorpora = [moons]\nquerys = ten\nsets = 2\n[[open]]\nfamily = \"f\"\n\
         models = [\"factgpt-1\"]\n",
    );
    let said = case.refused(&["plan"], 2);
    for part in [
        "line 2: `moons`: text needs quotes, \"moons\"",
        "line 3: `ten`: text needs quotes",
        "line 3: unknown key `querys` in [design]; did you mean queries?",
        "line 4: `sets` must be a whole number from 4",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(case.refused(&["run", "none.toml"], 1).contains("`surmise init` writes one"));
    case.write("");
    let said = case.refused(&["status"], 2);
    assert!(said.contains("[design]") && said.contains("[[open]]"), "{said}");
}

#[test]
fn a_wrong_path_is_not_asked_of_a_hub() {
    let open = |model: &str| format!("{DESIGN}[[open]]\nfamily = \"f\"\nmodels = [\"{model}\"]\n");
    let case = StudyCase::new(&open("models/smollm.gguf"));
    std::fs::create_dir(case.path("models")).expect("a folder");
    std::fs::write(case.path("models/smollm2.gguf"), "GGUF").expect("a file");
    let here = case.path("study.toml");
    let elsewhere = tempfile::tempdir().expect("a folder");
    for model in ["models/smollm.gguf", "models/smollm"] {
        case.write(&open(model));
        let said = case.refused(&["plan"], 2);
        assert!(said.contains(&format!("line 8: unknown model `{model}`: there is no such file")), "{said}");
        assert!(said.contains("did you mean models/smollm2.gguf?"), "{said}");
        assert!(
            said.contains("paths are relative to the study file") && !said.contains("huggingface"),
            "{said}"
        );
        // If the command runs in another folder, paths are still relative to the study file.
        let mut command = case.command(&["plan", here.to_str().expect("UTF-8")]);
        let output = command.current_dir(elsewhere.path()).output().expect("the binary");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("models/smollm2.gguf?"), "{said}");
    }
    // A hub id is not treated as a path relative to the study file.
    case.write(&open("owner/name"));
    let mut command = case.command(&["plan", "--offline", here.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&command.output().expect("the binary").stderr).into_owned();
    assert!(said.contains("owner/name, revision main"), "{said}");
}

#[test]
fn doctor_names_an_embedded_family_that_the_study_lacks_and_that_reads_its_corpora() {
    let doctor = |corpora: &str, families: &[&str]| {
        let open =
            |family: &&str| format!("[[open]]\nfamily = \"{family}\"\nmodels = [\"{family}-[1-3]\"]\n");
        let open: String = families.iter().map(open).collect();
        let design = format!("[design]\ncorpora = [{corpora}]\nshots = [1]\nsets = 4\nqueries = 4\n");
        StudyCase::new(&format!("{design}{open}")).done(&["doctor"]).0
    };
    let said = doctor("\"countries\"", &["minigpt"]);
    assert!(said.contains("add models of 2 other families") && said.contains("\"minillama-?\""), "{said}");
    let said = doctor("\"moons\"", &["factgpt", "factllama"]);
    assert!(said.contains("add models of 1 other family:") && said.contains("\"factneox-?\""), "{said}");
    // No other embedded model has tokens for these words.
    let said = doctor("\"countries\"", &["minigpt", "minillama"]);
    assert!(said.contains("add models of 1 other family:") && !said.contains("embedded"), "{said}");
}

#[test]
fn one_model_in_two_places_is_refused() {
    let refused = |models: &str, part: &str| {
        let said = StudyCase::new(&format!("{DESIGN}{models}")).refused(&["plan"], 2);
        assert!(said.contains(part), "{part}: {said}");
    };
    let open = "[[open]]\nfamily = \"f\"\nmodels = [\"factgpt-1\"]\n";
    refused(
        &format!("{open}[[open]]\nfamily = \"g\"\nmodels = [\"factgpt-1\"]\n"),
        "factgpt-1 is listed in two families",
    );
    refused(&format!("{open}[[closed]]\nweights = \"factgpt-1\"\n"), "has the weights of the open model");
    let closed =
        ["factgpt-2", "factgpt-3"].map(|name| format!("[[closed]]\nweights = \"{name}\"\nid = \"a\"\n"));
    refused(&format!("{open}{}", closed.concat()), "two closed models are called a");
}

#[test]
fn the_study_file_of_init_runs_unchanged_and_is_not_replaced() {
    let case = StudyCase::new("");
    let said = case.refused(&["init"], 2);
    assert!(said.contains("study.toml"), "{said}");
    let (_, said) = case.done(&["init", "embedded.toml"]);
    assert!(said.contains("surmise run embedded.toml"), "{said}");
    let (plan, _) = case.done(&["plan", "embedded.toml"]);
    assert!(plan.contains("measure open models") && plan.contains("check predictions"), "{plan}");
    // `init --from` lists the models of a folder.
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    case.done(&["init", "found.toml", "--from", golden]);
    let found = case.read("found.toml");
    assert!(found.contains("/gpt2\"") && found.contains("[[open]]"), "{found}");
    assert!(case.refused(&["init", "x.toml", "--from", "nowhere"], 1).contains("nowhere"));
    let empty = case.path("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let said = case.refused(&["init", "x.toml", "--from", "empty"], 2);
    assert!(said.contains("no checkpoint"), "{said}");
}

fn json_rows(text: &str) -> Vec<serde_json::Value> {
    let table: serde_json::Value = serde_json::from_str(text).expect("JSON");
    table["rows"].as_array().expect("rows").clone()
}

#[test]
fn tables_of_tasks_are_csv_and_json() {
    let case = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    let (csv, _) = case.done(&["plan", "--csv"]);
    let (json, _) = case.done(&["plan", "--json"]);
    let rows = json_rows(&json);
    // Twelve open models are measured and asked, and one closed model is asked and checked.
    assert_eq!((csv.lines().count(), rows.len()), (27, 26));
    let (json, _) = case.done(&["status", "--json"]);
    let rows = json_rows(&json);
    assert!(rows.iter().all(|row| row["status"] == "missing") && rows.len() == 26);
    let (json, _) = case.done(&["doctor", "--json"]);
    assert!(json.contains("tasks are not done yet"), "{json}");
    // A job script contains absolute paths.
    let (script, _) = case.done(&["slurm", "--array", "3"]);
    let study = case.path("study.toml");
    assert!(script.contains("--array=1-3") && script.contains(study.to_str().expect("UTF-8")), "{script}");
}

#[test]
fn a_found_folder_with_the_name_of_an_embedded_model_is_the_folder() {
    let case = StudyCase::new("");
    std::fs::create_dir(case.path("factgpt-1")).expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let from = format!("{}/calibration/factllama-1/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(from, case.path("factgpt-1").join(file)).expect("a file");
    }
    case.done(&["init", "found.toml", "--from", "."]);
    assert!(case.read("found.toml").contains("\"./factgpt-1\""), "{}", case.read("found.toml"));
}
