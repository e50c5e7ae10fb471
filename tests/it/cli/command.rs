//! Tests the output and the files of the real binary, and that both are reproducible to the byte.

use std::collections::BTreeMap;
use std::path::Path;

use surmise::corpus::category::EMBEDDED;

use crate::support::tidy::{profile_file, surmise};

pub fn done(arguments: &[&str]) -> String {
    let output = surmise(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The output of `measure` with the positional estimand.
fn measured(arguments: &[&str]) -> String {
    done(&[&["measure", "--estimand=positional"], arguments].concat())
}

pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

pub fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn measuring_twice_on_one_thread_or_two_gives_the_same_bytes() {
    let made = |threads: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        measured(&[
            "minillama-3",
            "minigpt-3",
            "--corpus",
            "cities",
            "--windows",
            "200",
            "--threads",
            threads,
            "-o",
            out,
        ]);
        files(folder.path())
    };
    let first = made("1");
    assert_eq!(first.len(), 3, "{:?}", first.keys());
    assert!(first == made("1") && first == made("2"));
}

#[test]
fn existing_profiles_are_not_measured_again_and_changed_ones_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let measure = |seed: &str| {
        measured(&["minigpt-1", "--corpus", "colours", "--windows", "100", "--seed", seed, "-o", out]);
    };
    measure("0");
    let file = profile_file(folder.path(), "minigpt-1", "colours");
    // A mark in the existing file shows whether it was used or written again.
    let text = std::fs::read_to_string(&file).expect("a profile");
    let mut profile: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    profile["blocks"][0]["emergence_nats"] = 12345.5.into();
    std::fs::write(&file, profile.to_string()).expect("a file");
    measure("0");
    let table = || std::fs::read_to_string(folder.path().join("profiles.csv")).expect("rows");
    assert!(table().contains("12345.5"));
    // Another seed gives another file, and the table contains both.
    measure("1");
    assert!(table().contains("12345.5"));
    let seeds: std::collections::BTreeSet<_> =
        rows(&table()).into_iter().map(|row| row["seed"].clone()).collect();
    assert_eq!(seeds.into_iter().collect::<Vec<_>>(), ["0", "1"]);
    // A profile of another version of surmise is measured again.
    profile["schema"]["tool_version"] = "0.0.1".into();
    std::fs::write(&file, profile.to_string()).expect("a file");
    measure("0");
    assert!(!table().contains("12345.5"));
}

#[test]
fn another_estimator_is_recorded_and_reported_and_gives_another_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = [
        "measure",
        "--estimand=positional",
        "minigpt-2",
        "--corpus",
        "colours",
        "--windows",
        "200",
        "--entities",
        "2",
    ];
    let measure = |estimator: &str| {
        let out = folder.path().join(estimator);
        let out_flag = ["--estimator", estimator, "-o", out.to_str().expect("UTF-8")];
        let output = surmise(&[&bare[..], &out_flag].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(profile_file(&out, "minigpt-2", "colours")).expect("a profile");
        let profile: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (profile, String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (channel, status) = measure("channel");
    assert_eq!(channel["estimator"]["name"], "channel");
    assert!(!status.contains("equals the entropy of the context"), "{status}");
    let (gaussian, status) = measure("gaussian");
    assert!(status.contains("equals the entropy of the context"), "{status}");
    assert_eq!(
        (&gaussian["estimator"]["name"], &gaussian["estimator"]["micro"]),
        (&"gaussian".into(), &"alone".into())
    );
    assert!(status.contains("by gaussian ["), "{status}");
    let table = rows(&std::fs::read_to_string(folder.path().join("gaussian/profiles.csv")).expect("rows"));
    // 2 blocks with 2 entities and 2 separators each. This estimator has no noise scales.
    assert_eq!(table.len(), 2 * 4);
    for row in &table {
        assert_eq!(
            (row["estimator"].as_str(), row["micro"].as_str(), row["noise_scale"].as_str()),
            ("gaussian", "alone", "")
        );
        let number = |column: &str| row[column].parse::<f64>().expect("a number");
        assert!((number("macro_mi_nats") - number("micro_mi_nats") - number("emergence_nats")).abs() < 1e-9);
    }
    assert_eq!(measure("channel").0, channel);
    let wrong = surmise(&[&bare[..], &["--estimator", "mime"]].concat());
    assert_eq!(wrong.status.code(), Some(2));
    // A profile of one estimator does not replace the profile of another estimator.
    let out = folder.path().join("channel");
    let other = ["--estimator", "gaussian", "-o", out.to_str().expect("UTF-8")];
    done(&[&bare[..], &other].concat());
    let both = rows(&std::fs::read_to_string(out.join("profiles.csv")).expect("rows"));
    let by = |name: &str| both.iter().filter(|row| row["estimator"] == name).count();
    // `channel` has a row for each of four noise scales.
    assert_eq!((by("gaussian"), by("channel"), both.len()), (8, 32, 40));
    // Every colour occurs many times, so `plugin` gives the entropy of the rows, with a flag.
    for reading in measure("plugin").0["blocks"].as_array().expect("readings") {
        let alone = &reading["micro"];
        assert!(alone["flags"].as_array().expect("flags").contains(&"discrete".into()), "{alone}");
        let (mi, ceiling) = (alone["mi_nats"].as_f64(), alone["ceiling_nats"].as_f64());
        assert!((mi.expect("nats") - ceiling.expect("nats")).abs() < 1e-9, "{alone}");
    }
    // Nearest neighbours have distance zero here. An estimator that needs these distances returns an error,
    // and no other estimator replaces it.
    for name in ["ksg", "hybrid", "cca-ksg"] {
        let refused = surmise(&[&bare[..], &["--estimator", name]].concat());
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{name}: {told}");
        assert!(refused.stdout.is_empty());
        assert!(told.contains(&format!("estimator {name}: ")) && told.contains("(block "), "{told}");
    }
}

#[test]
fn micro_uses_the_token_alone_or_the_first_of_each_window_and_records_which() {
    let with = |micro: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        measured(&["minigpt-2", "--corpus", "colours", "--windows", "300", "--micro", micro, "-o", out]);
        let text =
            std::fs::read_to_string(profile_file(folder.path(), "minigpt-2", "colours")).expect("a profile");
        let profile: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(profile["estimator"]["micro"], micro);
        rows(&std::fs::read_to_string(folder.path().join("profiles.csv")).expect("rows"))
    };
    let (alone, first) = (with("alone"), with("first"));
    assert_eq!(alone.len(), first.len());
    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().expect("a number");
    for (alone, first) in alone.iter().zip(&first) {
        assert_eq!((alone["micro"].as_str(), first["micro"].as_str()), ("alone", "first"));
        assert_eq!(alone["macro_mi_nats"], first["macro_mi_nats"]);
        assert_ne!(alone["micro_mi_nats"], first["micro_mi_nats"]);
        // A colour is one token, so the first entity is the first token of the window. Macro and micro then
        // estimate the same quantity, and emergence differs from 0 only by estimation error.
        if (first["role"].as_str(), first["reading_index"].as_str()) == ("entity", "1") {
            let noise = number(first, "macro_stderr_nats").hypot(number(first, "micro_stderr_nats"));
            assert!(number(first, "emergence_nats").abs() < 5.0 * noise, "{first:?}");
        }
    }
}

#[test]
fn a_profile_has_every_block_and_reading_point_and_its_parts_add_up() {
    let table =
        rows(&measured(&["minillama-3", "--corpus", "countries", "--windows", "150", "--entities", "3"]));
    // 3 blocks, 3 entities and 3 separators, 4 noise scales.
    assert_eq!(table.len(), 3 * 6 * 4);
    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().expect("a number");
    for row in &table {
        let emergence = number(row, "macro_mi_nats") - number(row, "micro_mi_nats");
        assert!((emergence - number(row, "emergence_nats")).abs() < 1e-12);
        assert!(
            (number(row, "emergence_nats") - number(row, "random_init_nats") - number(row, "learned_nats"))
                .abs()
                < 1e-12
        );
        assert!(number(row, "macro_lower_nats") <= number(row, "macro_upper_nats") + 1e-6);
        // A separator is one token and the embedding does not encode positions, so the input of block 1
        // contains no information about the window.
        if row["block"] == "1" && row["role"] == "separator" {
            assert_eq!(row["macro_mi_nats"], "0.0");
        }
    }
    let points: std::collections::BTreeSet<_> =
        table.iter().map(|row| (&row["role"], &row["reading_index"])).collect();
    assert_eq!(points.len(), 6);
}

#[test]
fn only_block_1_shares_inputs_between_contexts() {
    // In block 1, windows with the same token have the same input but different outputs, so their rows are
    // grouped. From block 2 on, the input of a row identifies its context, even if f32 rounds the inputs of
    // two contexts to the same values.
    let mut arguments: Vec<&str> =
        vec!["measure", "--estimand=positional", "--corpus", "countries", "--windows", "200", "-q"];
    arguments.extend(surmise::model::FAMILY.iter().map(|member| member.name));
    let table = rows(&done(&arguments));
    assert!(table.iter().any(|row| row["macro_flags"].contains("grouped")));
    assert!(table.iter().all(|row| row["block"] == "1" || !row["macro_flags"].contains("grouped")));
}

#[test]
fn entities_with_the_same_tokens_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let corpus = folder.path().join("shades.csv");
    std::fs::write(&corpus, "entity\nred\nblue\nRed\ngreen\n").expect("a corpus");
    let output = surmise(&[
        "measure",
        "--estimand=positional",
        "minigpt-1",
        "--corpus",
        corpus.to_str().expect("UTF-8"),
        "--entities",
        "2",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("gives \"Red\" and \"red\" the same tokens"), "{stderr}");
}

#[test]
fn profiles_csv_contains_every_profile_of_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    for model in ["minigpt-2", "minigpt-1"] {
        measured(&[model, "--corpus", "colours", "--windows", "60", "--entities", "2", "-o", out]);
    }
    let table = rows(&std::fs::read_to_string(folder.path().join("profiles.csv")).expect("rows"));
    let models: std::collections::BTreeSet<_> = table.iter().map(|row| row["model"].as_str()).collect();
    assert_eq!(models.into_iter().collect::<Vec<_>>(), ["minigpt-1", "minigpt-2"]);
}

#[test]
fn a_model_folder_is_measured_like_an_embedded_model() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("calibration/minigpt-2");
    let own = measured(&[folder.to_str().expect("UTF-8"), "--corpus", "animals", "--windows", "100"]);
    let embedded = measured(&["minigpt-2", "--corpus", "animals", "--windows", "100"]);
    // Only the family differs: the family of a folder is unknown.
    assert_eq!(own.replace("minigpt-2,,gpt2,", "minigpt-2,minigpt,gpt2,"), embedded);
    let category = root.join("data/animals.csv");
    let file = measured(&["minigpt-2", "--corpus", category.to_str().expect("UTF-8"), "--windows", "100"]);
    assert_eq!(file, embedded);
}

#[test]
fn entities_of_several_tokens_are_aligned_by_role() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2");
    let table = rows(&measured(&[
        folder.to_str().expect("UTF-8"),
        "--corpus",
        "numbers",
        "--windows",
        "80",
        "--entities",
        "2",
        "--scale",
        "norm",
    ]));
    assert_eq!(table.len(), 3 * 4 * 4);
    // Entities have different numbers of tokens, so a reading point has no single index.
    assert!(table.iter().filter(|row| row["reading_index"] == "2").all(|row| row["position"].is_empty()));
    assert!(table.iter().all(|row| row["scale"] == "norm"));
}

#[test]
fn a_family_is_given_by_the_user_and_is_not_the_architecture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/minigpt-2");
    let measure = |more: &[&str]| {
        let model = folder.to_str().expect("UTF-8");
        let all = [
            "measure",
            "--estimand=positional",
            model,
            "--corpus",
            "colours",
            "--windows",
            "60",
            "--entities",
            "2",
        ];
        let table = rows(&done(&[&all, more].concat()));
        (table[0]["family"].clone(), table[0]["architecture"].clone())
    };
    assert_eq!(measure(&[]), (String::new(), "gpt2".into()));
    assert_eq!(measure(&["--family", "mine"]), ("mine".into(), "gpt2".into()));

    // A model of unknown family has no proxy, unless the table of models gives its family.
    let scene = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scene.path().join(name).to_str().expect("UTF-8").to_owned();
    for model in ["minigpt-1", folder.to_str().expect("UTF-8")] {
        measured(&[model, "--corpus", "colours", "--windows", "60", "--entities", "2", "-o", &at("p")]);
    }
    let join = |more: &[&str]| {
        let (profiles, fixed) = (at("p"), ["observations", "-q", "--noise-scale", "0.4", "--profiles"]);
        let output = surmise(&[&fixed[..], &[&profiles], more].concat());
        let mut all = rows(&String::from_utf8_lossy(&output.stdout));
        let row = all.pop().expect("a row");
        assert_eq!(row["target_model"], "minigpt-2");
        (output.status.code(), row)
    };
    let (code, row) = join(&[]);
    assert_eq!((code, row["family"].as_str(), row["proxy_model"].as_str()), (Some(3), "", ""));
    assert!(row["note"].contains("its family is unknown"), "{}", row["note"]);
    std::fs::write(at("models.csv"), "model,family,params_b\nminigpt-2,minigpt,\n").expect("a file");
    let (code, row) = join(&["--models", &at("models.csv")]);
    assert_eq!(
        (code, row["family"].as_str(), row["proxy_model"].as_str()),
        (Some(0), "minigpt", "minigpt-1")
    );
}

#[test]
fn list_prints_what_is_built_in() {
    let named = |line: &str, name: &str| line.split('\t').next() == Some(name);
    assert_eq!(done(&["list", "models"]).lines().count(), surmise::model::embedded().count());
    assert!(done(&["list", "architectures"]).contains("llama"));
    assert!(done(&["list", "estimators"]).starts_with("channel"));
    let corpora = done(&["list", "corpora"]);
    assert_eq!(corpora.lines().count(), EMBEDDED.len());
    assert!(EMBEDDED.iter().zip(corpora.lines()).all(|((name, _), line)| named(line, name)), "{corpora}");
    let providers = done(&["list", "providers"]);
    assert!(
        surmise::provider::ALL
            .iter()
            .zip(providers.lines())
            .all(|(provider, line)| named(line, provider.name()))
    );
    let tasks = done(&["list", "tasks"]);
    assert!(
        ["completion", "cities", "elements", "texts"]
            .iter()
            .all(|name| tasks.lines().any(|line| named(line, name))),
        "{tasks}"
    );
    let reports = done(&["list", "reports"]);
    // The html page of a folder is not a table and is listed after the tables.
    assert_eq!(reports.lines().count(), surmise::report::ALL.len() + 1);
    assert!(reports.lines().last().is_some_and(|line| line.starts_with("html\t")));
    for (report, line) in surmise::report::ALL.iter().zip(reports.lines()) {
        assert!(line.starts_with(&format!("{}\t{}\t", report.name(), report.input().file)), "{line}");
    }
}
