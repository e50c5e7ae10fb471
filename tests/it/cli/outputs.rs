//! Tests the outputs of `measure` through the real binary: results of other settings and of parallel
//! processes are never overwritten, and doubtful values are reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use safetensors::SafeTensors;

use super::command::{done, files, rows};
use crate::support::tidy::{folder, surmise};

const MODEL: [&str; 5] = ["measure", "--estimand=positional", "minillama-2", "--corpus", "colours"];

fn said(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    stderr
}

fn refused(arguments: &[&str], words: &[&str]) {
    let output = surmise(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {stderr}");
    words.iter().for_each(|word| assert!(stderr.contains(word), "{word} is not in: {stderr}"));
}

/// Copies a golden checkpoint to `at` and multiplies the first row of its position table by `first_position`.
fn checkpoint(at: &Path, first_position: f32) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2");
    std::fs::create_dir_all(at).expect("a folder");
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(golden.join(file), at.join(file)).expect("a golden file");
    }
    let mut bytes = std::fs::read(golden.join("model.safetensors")).expect("weights");
    let (length, row) = {
        let weights = SafeTensors::deserialize(&bytes).expect("safetensors");
        let (_, table) =
            weights.tensors().into_iter().find(|(name, _)| name.ends_with("wpe.weight")).expect("wpe");
        let start = table.data().as_ptr() as usize - bytes.as_ptr() as usize;
        (4 * table.shape()[1], start)
    };
    for value in bytes[row..row + length].chunks_exact_mut(4) {
        let own = f32::from_le_bytes(value.try_into().expect("four bytes"));
        value.copy_from_slice(&(own * first_position).to_le_bytes());
    }
    std::fs::write(at.join("model.safetensors"), bytes).expect("a file");
}

#[test]
fn every_setting_has_its_own_file_and_the_same_command_changes_nothing() {
    let (_keep, at) = folder();
    let out = at("out");
    let base = ["--windows", "200", "--entities", "2", "-o", &out];
    let settings: [&[&str]; 9] = [
        &[],
        &["--windows", "150"],
        &["--entities", "3"],
        &["--seed", "7"],
        &["--scale", "norm"],
        &["--dtype", "bf16"],
        &["--micro", "first"],
        &["--estimator", "gaussian"],
        &["--name", "another"],
    ];
    let command = |flags: &[&str]| {
        // A duplicate flag is an error, so a flag of the setting replaces the same flag of the base.
        let own = base.chunks(2).filter(|pair| !flags.contains(&pair[0])).flatten().copied();
        MODEL.into_iter().chain(own).chain(flags.iter().copied()).map(String::from).collect::<Vec<_>>()
    };
    let run = |flags: &[&str]| {
        let arguments = command(flags);
        surmise(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut before = BTreeMap::new();
    for (n, flags) in settings.iter().enumerate() {
        assert!(!said(&run(flags)).contains("not measured again"), "{flags:?}");
        let mut now = files(out.as_ref());
        let table = String::from_utf8(now.remove("profiles.csv").expect("a table")).expect("UTF-8");
        assert_eq!(now.len(), n + 1, "{flags:?}");
        assert!(before.iter().all(|(name, bytes)| now.get(name) == Some(bytes)), "{flags:?}");
        let profiles: BTreeSet<String> = rows(&table).into_iter().map(|row| row["profile"].clone()).collect();
        let names: BTreeSet<String> = now.keys().map(|name| name.replace(".json", "")).collect();
        assert_eq!(profiles, names);
        before = now;
    }
    let all = files(out.as_ref());
    for flags in settings {
        assert!(said(&run(flags)).contains("already contains this measurement, which was not repeated"));
    }
    assert!(files(out.as_ref()) == all);
    // Settings that do not affect the numbers create no new file. A new family is written to the existing
    // file.
    said(&run(&["--threads", "1", "--family", "f"]));
    let after = files(out.as_ref());
    assert!(after.keys().eq(all.keys()));
    let table = rows(&String::from_utf8(after["profiles.csv"].clone()).expect("UTF-8"));
    assert_eq!(table.iter().filter(|row| row["family"] == "f").count(), 2 * 4 * 4);

    for row in &table {
        assert_eq!(
            (row["blocks"].as_str(), row["bos"].as_str(), row["corpus"].as_str()),
            ("2", "off", "colours")
        );
        assert_eq!(row["version"], env!("CARGO_PKG_VERSION"));
        assert!(row["weights_sha256"].len() == 64 && row["corpus_sha256"].len() == 64);
        let is_headline = row["block"] == "2"
            && row["scale"] == "spread"
            && row["role"] == "entity"
            && row["reading_index"] == row["shots"]
            && ["0.25", ""].contains(&row["noise_scale"].as_str())
            || row["scale"] == "norm" && row["is_headline"] == "true";
        assert_eq!(row["is_headline"], is_headline.to_string(), "{row:?}");
        for cell in row.values() {
            assert!(!["nan", "inf", "-inf", "infinity"].contains(&cell.to_lowercase().as_str()), "{row:?}");
        }
    }
    let headlines = table.iter().filter(|row| row["is_headline"] == "true").count();
    assert_eq!(headlines, settings.len());
}

#[test]
fn profiles_of_different_settings_are_refused_until_one_is_chosen() {
    let (_keep, at) = folder();
    let out = at("out");
    for model in ["minillama-1", "minillama-2"] {
        for windows in ["60", "80"] {
            let flags = ["--corpus", "colours", "--windows", windows, "--entities", "2", "-o", &out];
            done(&[&["measure", "--estimand=positional", model], &flags[..]].concat());
        }
    }
    let join = ["observations", "--profiles", &out, "--noise-scale", "0.4"];
    refused(&join, &["minillama-1 on colours", "(n_windows: ", "60", "80", "--select"]);
    // Without `--noise-scale`, the error also names the settings that differ.
    refused(&join[..3], &["(n_windows: "]);
    let chosen = |flags: &[&str]| rows(&done(&[&join[..], flags].concat()));
    for windows in ["60", "80"] {
        let table = chosen(&["--select", &format!("n_windows={windows}")]);
        assert_eq!((table.len(), table[0]["n_windows"].as_str()), (1, windows));
    }
    refused(&[&join[..], &["--select", "windows=60"]].concat(), &["`windows` is not a setting", "n_windows"]);
    refused(&[&join[..], &["--select", "n_windows=61"]].concat(), &["matches no profile"]);
    for report in ["profiles", "shots", "depth"] {
        refused(&["report", report, &out], &["two profiles", "n_windows: ", "--select"]);
        let table = rows(&done(&["report", report, &out, "--select", "n_windows=80"]));
        assert!(table.iter().all(|row| row.get("n_windows").is_none_or(|n| n == "80")));
    }
    // A file with the same rows is treated like the folder, and a folder given twice counts once.
    let csv = at("out/profiles.csv");
    refused(&["report", "depth", &csv], &["two profiles"]);
    let once = done(&["report", "depth", &out, "--select", "n_windows=80"]);
    assert_eq!(done(&["report", "depth", &csv, "--select", "n_windows=80"]), once);
    assert_eq!(done(&["report", "depth", &out, &out, "--select", "n_windows=80"]), once);
    // `report` reads the JSON profiles of the folder, not its profiles.csv, which another program may have
    // replaced.
    std::fs::write(&csv, "model\n").expect("a file");
    assert_eq!(done(&["report", "depth", &out, "--select", "n_windows=80"]), once);
}

#[test]
fn folders_with_the_same_name_do_not_replace_each_other_and_a_label_distinguishes_them() {
    let (_keep, at) = folder();
    checkpoint(at("a/m").as_ref(), 1.0);
    checkpoint(at("b/m").as_ref(), 2.0);
    let out = at("out");
    let flags = ["--corpus", "colours", "--windows", "60", "--entities", "2", "-o", &out];
    let measure = |model: &str, more: &[&str]| {
        [&["measure", "--estimand=positional", model], &flags[..], more]
            .concat()
            .iter()
            .map(|word| word.to_string())
            .collect::<Vec<_>>()
    };
    let run = |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        done(&arguments);
    };
    run(measure(&at("a/m"), &[]));
    run(measure(&at("b/m"), &[]));
    let table = rows(&std::fs::read_to_string(at("out/profiles.csv")).expect("a table"));
    let weights: BTreeSet<&str> = table.iter().map(|row| row["weights_sha256"].as_str()).collect();
    assert_eq!((weights.len(), files(out.as_ref()).len()), (2, 3));
    refused(
        &["observations", "--profiles", &out, "--noise-scale", "0.4"],
        &["m on colours", "weights_sha256"],
    );
    refused(&["report", "depth", &out], &["m on colours", "weights_sha256"]);
    // Both folders in one command are an error, because their rows could not be distinguished.
    let both = [at("a/m"), at("b/m")];
    let both = [&["measure", "--estimand=positional", &both[0], &both[1]], &flags[..]].concat();
    refused(&both, &["names two inputs that would have the same name, m", "--name"]);
    refused(&[&both[..], &["--name", "x"]].concat(), &["--name", "2 are given"]);
    refused(
        &["measure", "--estimand=positional", "minigpt-1", "--corpus", "colours", "--name", " "],
        &["--name", "label"],
    );

    std::fs::remove_dir_all(&out).expect("a folder");
    run(measure(&at("a/m"), &["--name", "first/m"]));
    run(measure(&at("b/m"), &["--name", "second"]));
    let table = rows(&std::fs::read_to_string(at("out/profiles.csv")).expect("a table"));
    let names: BTreeSet<&str> = table.iter().map(|row| row["model"].as_str()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["first/m", "second"]);
    assert!(files(out.as_ref()).keys().any(|name| name.starts_with("first--m--colours--")));
    // With any label, the profile stays in the table, and its file name is not too long.
    run(measure(&at("b/m"), &["--name", "../x"]));
    run(measure(&at("b/m"), &["--name", &"long".repeat(100)]));
    let table = rows(&std::fs::read_to_string(at("out/profiles.csv")).expect("a table"));
    assert_eq!(table.iter().map(|row| row["model"].as_str()).collect::<BTreeSet<_>>().len(), 4);
    done(&["report", "depth", &out]);
}

#[test]
fn every_result_of_parallel_processes_in_one_folder_is_kept() {
    let (_keep, at) = folder();
    let out = at("out");
    let start = |seed: usize| {
        let seed = (seed % 4).to_string();
        let flags =
            ["--windows", "50", "--entities", "2", "--threads", "1", "-q", "--seed", &seed, "-o", &out];
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.args(["measure", "--estimand=positional", "minigpt-1", "--corpus", "colours"]).args(flags);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary")
    };
    // Each of four measurements is made by two processes at the same time.
    let running: Vec<_> = (0..8).map(start).collect();
    for child in running {
        said(&child.wait_with_output().expect("an end"));
    }
    let made = files(out.as_ref());
    assert_eq!(made.len(), 5, "{:?}", made.keys());
    let table = rows(&String::from_utf8(made["profiles.csv"].clone()).expect("UTF-8"));
    let seeds: BTreeSet<&str> = table.iter().map(|row| row["seed"].as_str()).collect();
    assert_eq!(seeds.into_iter().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let profiles = made.keys().filter(|name| name.ends_with(".json")).count();
    assert_eq!(table.len() % profiles, 0);
}

#[test]
fn a_file_whose_settings_differ_from_its_name_is_refused() {
    let (_keep, at) = folder();
    let out = at("out");
    let run = |seed: &'static str| {
        let flags = ["--windows", "50", "--entities", "2", "--seed", seed, "-o", &out];
        [&MODEL[..], &flags[..]].concat().iter().map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let text = |arguments: &[String]| arguments.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    done(&text(&run("0")).lines().collect::<Vec<_>>());
    let first = files(out.as_ref()).into_keys().find(|name| name.ends_with(".json")).expect("a profile");
    done(&text(&run("1")).lines().collect::<Vec<_>>());
    let names: Vec<String> = files(out.as_ref()).into_keys().filter(|name| name.ends_with(".json")).collect();
    let second = names.iter().find(|name| **name != first).expect("another");
    std::fs::rename(at(&format!("out/{second}")), at(&format!("out/{first}"))).expect("a renamed file");
    refused(&text(&run("0")).lines().collect::<Vec<_>>(), &[&first, "seed: 1 and 0", "move the file"]);
}

#[test]
fn doubtful_values_are_reported_with_their_bounds_and_advice() {
    let measure = |flags: &[&str]| {
        said(&surmise(
            &[&["measure", "--estimand=positional", "minigpt-3", "--corpus", "colours"], flags].concat(),
        ))
    };
    // With one entity in a window, 400 windows contain few distinct windows.
    let told = measure(&["--windows", "400", "--entities", "1"]);
    assert!(told.contains(" nats at b = 0.25, bounds ") && told.contains("BOS off"), "{told}");
    assert!(told.contains("warning: minigpt-3 on colours: few distinct windows:"), "{told}");
    assert!(told.contains("not comparable across families"), "{told}");
    // With four entities, all 50 windows are distinct. Their information is near log 50, and its bounds are
    // wide.
    let told = measure(&["--windows", "50", "--entities", "4"]);
    assert!(told.contains("blocks saturated: 2 of 2") && told.contains("--entities"), "{told}");
    assert!(!told.contains("few distinct"), "{told}");
    assert!(measure(&["--windows", "400", "--entities", "1", "-q"]).is_empty());
}

#[test]
fn an_attention_sink_is_flagged_on_every_row_of_its_blocks() {
    let (_keep, at) = folder();
    for (name, factor) in [("plain", 1.0), ("sink", 10_000.0)] {
        checkpoint(at(name).as_ref(), factor);
        let output = surmise(&[
            "measure",
            "--estimand=positional",
            &at(name),
            "--corpus",
            "colours",
            "--windows",
            "60",
            "--entities",
            "3",
            "-o",
            &at("out"),
        ]);
        let told = said(&output);
        assert_eq!(told.contains("attention sink at position 0"), name == "sink", "{told}");
    }
    let table = rows(&std::fs::read_to_string(at("out/profiles.csv")).expect("a table"));
    for row in &table {
        let ratio: f64 = row["position_0_norm_ratio"].parse().expect("a ratio");
        let is_sink = row["flags"] == "attention_sink";
        assert_eq!((is_sink, ratio > 10.0), (row["model"] == "sink", row["model"] == "sink"), "{row:?}");
    }
    let caption = done(&["report", "depth", &at("out"), "--format", "md"]);
    assert!(caption.contains("Attention sink at position 0: sink on colours"), "{caption}");
    assert!(
        caption.contains("nats apart") && caption.contains("not comparable across families"),
        "{caption}"
    );
}
