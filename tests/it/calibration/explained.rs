//! Tests messages of `observations` and `predict`: models without a proxy, bounds that are too wide, scores
//! with different settings, and predictions for models on which the card was fitted.

use surmise::emergence::Profile;
use surmise::observations::{choose_noise_scale, wide_bounds};

use crate::support::tidy::{folder, profile_file, rows, surmise, table, write};

fn run(arguments: &[&str]) -> String {
    let output = surmise(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

fn refused(arguments: &[&str], says: &[&str]) {
    let output = surmise(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {said}");
    says.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
}

#[test]
fn a_model_alone_in_its_family_has_a_row_with_a_note_and_proxies_are_named() {
    let (_keep, at) = folder();
    let (profiles, out) = (at("p"), at("o.csv"));
    let series = ["--corpus", "colours", "--windows", "60", "--entities", "2", "-o", &profiles];
    let models = ["minigpt-1", "minigpt-2", "minillama-1"];
    run(&[&["measure", "--estimand=positional", "-q"], &models[..], &series].concat());
    let join = ["observations", "--profiles", &profiles, "--noise-scale", "0.4", "-o", &out];
    let said = run(&join);
    let alone = "it is the only model of the family minillama that was measured";
    assert!(said.contains(&format!("note: minillama-1 on colours: no proxy: {alone}")), "{said}");
    assert!(said.contains("proxies and have no row of their own: minigpt-1"), "{said}");
    let table = rows(&out);
    let names: Vec<&str> = table.iter().map(|row| row["target_model"].as_str()).collect();
    assert_eq!(names, ["minigpt-2", "minillama-1"]);
    let row = &table[1];
    assert!(row["status"] == "ok" && row["note"].contains(alone), "{row:?}");
    assert!(!row["emergence_nats"].is_empty() && !row["corpus_sha256"].is_empty(), "{row:?}");
    for column in ["proxy_model", "proxy_params_b", "proxy_headline_nats", "proxy_ie_mean_nats"] {
        assert_eq!(row[column], "", "{column}");
    }
    // If the family has a closed member, the measured model is the proxy of this member.
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed,minillama,0.5\n").expect("models");
    let said = run(&[&join[..], &["--models", &at("models.csv")]].concat());
    assert!(
        said.contains("proxies and have no row of their own: minigpt-1, minillama-1")
            && !said.contains(alone),
        "{said}"
    );
    assert_eq!(rows(&out)[0]["proxy_model"], "minillama-1");

    // Family and size from --models take precedence over the profile, and a note reports the difference.
    let models = "model,family,params_b\nminillama-1,minigpt,9\n";
    std::fs::write(at("models.csv"), models).expect("models");
    let said = run(&[&join[..], &["--models", &at("models.csv")]].concat());
    assert!(said.contains("minillama-1: --models gives the family minigpt, which is used,"), "{said}");
    assert!(said.contains("minillama-1: --models gives params_b 9, which is used,"), "{said}");
    let row = rows(&out).into_iter().find(|row| row["target_model"] == "minillama-1").expect("a row");
    assert_eq!(
        (row["family"].as_str(), row["params_b"].as_str(), row["proxy_model"].as_str()),
        ("minigpt", "9", "minigpt-1")
    );

    // Profiles of the semantic estimand are joined in the same way as positional profiles.
    let semantic = at("s");
    let design = ["--corpus", "colours", "--shots", "1", "--sets", "4", "--queries", "4"];
    let flags = ["--random-init", "off", "-q", "-o", &semantic];
    run(&[&["measure", "minigpt-1", "minigpt-2", "minillama-1"], &design[..], &flags].concat());
    let said = run(&["observations", "--profiles", &semantic, "-o", &out]);
    assert!(said.contains(alone), "{said}");
    let table = rows(&out);
    assert_eq!(table.len(), 2);
    assert!(table[1]["proxy_semantic_share_mean"].is_empty() && !table[1]["semantic_share_mean"].is_empty());
}

#[test]
fn bounds_that_are_too_wide_are_named_and_block_1_is_ignored() {
    let (_keep, at) = folder();
    let profiles = at("p");
    let series = ["--corpus", "colours", "--windows", "100", "--entities", "2", "-q", "-o", &profiles];
    run(&[&["measure", "--estimand=positional", "minigpt-3"], &series[..]].concat());
    let file = profile_file(profiles.as_ref(), "minigpt-3", "colours");
    let read = || Profile::read(&file).expect("a profile");
    let set = |profile: &mut Profile, block: usize, gap: f64| {
        for reading in profile.blocks.iter_mut().filter(|reading| reading.block == block) {
            for side in [&mut reading.macro_mi, &mut reading.micro_mi] {
                side.upper_nats = side.lower_nats.map(|lower| lower + gap);
            }
        }
    };
    let mut close = read();
    (1..=close.model.n_layers).for_each(|block| set(&mut close, block, 0.01));
    let smallest = close.estimator.noise_scales[0];
    assert_eq!(choose_noise_scale([&close]).expect("a noise scale"), Some(smallest));
    // Wide bounds in block 1 do not matter, because no headline uses this block.
    let mut first = close.clone();
    set(&mut first, 1, 5.0);
    assert_eq!(choose_noise_scale([&first]).expect("a noise scale"), Some(smallest));

    let mut wide = close.clone();
    let narrow = wide.estimator.noise_scales.last().copied();
    let cell = wide.blocks.iter_mut().rfind(|r| r.block == 3 && r.noise_scale == narrow).expect("a reading");
    cell.micro_mi.upper_nats = cell.micro_mi.lower_nats.map(|lower| lower + 0.75);
    let name = format!("minigpt-3 on colours, block 3, {} {}", "separator", cell.reading_index);
    assert_eq!(cell.role, surmise::corpus::Role::Separator);
    let found = wide_bounds([&close, &wide], narrow);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_string(), format!("{name}: micro bounds are 0.75 nats apart"));
    // The bounds are wide only at the largest noise scale, so the smallest noise scale is chosen.
    assert_eq!(choose_noise_scale([&wide]).expect("a noise scale"), Some(smallest));
    wide.estimator.noise_scales = narrow.into_iter().collect();
    let error = choose_noise_scale([&wide]).expect_err("no noise scale").to_string();
    assert!(error.contains(&name) && error.contains("--noise-scale"), "{error}");
    // Files omit infinite bounds, so the gap of a missing bound is infinite.
    let cell = wide.blocks.iter_mut().rfind(|r| r.block == 3 && r.noise_scale == narrow).expect("a reading");
    cell.micro_mi.upper_nats = None;
    assert!(wide_bounds([&wide], narrow)[0].gap_nats.is_infinite());

    // The binary also names wide bounds if a noise scale is given.
    let mut stored = read();
    let b = stored.estimator.noise_scales[0];
    (1..=stored.model.n_layers).for_each(|block| set(&mut stored, block, 0.01));
    set(&mut stored, 2, 0.9);
    let text = serde_json::to_string(&stored).expect("JSON");
    std::fs::write(&file, text).expect("a profile");
    let said =
        run(&["observations", "--profiles", &profiles, "--noise-scale", &b.to_string(), "-o", &at("o.csv")]);
    assert!(said.contains("minigpt-3 on colours, block 2") && said.contains("0.90 nats apart"), "{said}");
    refused(
        &["observations", "--profiles", &profiles],
        &["minigpt-3 on colours, block 2", "0.90 nats apart"],
    );
}

#[test]
fn scores_of_different_settings_are_refused_with_both_hashes() {
    let (_keep, at) = folder();
    let (profiles, out) = (at("p"), at("o.csv"));
    let series = ["--corpus", "colours", "--windows", "60", "--entities", "2", "-q", "-o", &profiles];
    run(&[&["measure", "--estimand=positional", "minigpt-1", "minigpt-2"], &series[..]].concat());
    let header = "provider,model,model_snapshot,task,shots,n_items,n_scored,n_refused,n_filtered,n_truncated,\
                  n_empty,n_unreadable,n_error,accuracy,accuracy_low,accuracy_high,accuracy_all_as_wrong,\
                  mean_logprob,collected_at,grader,normalisation,rendering,task_sha256,seed\n";
    let score = |file: &str, model: &str, shots: usize, settings: &str| {
        let row = format!("x,{model},,colours,{shots},100,100,0,0,0,0,0,0,0.5,,,0.5,,,{settings}\n");
        std::fs::write(at(file), format!("{header}{row}")).expect("scores");
    };
    let join = |files: &[&str], more: &[&str]| -> Vec<String> {
        let fixed = ["observations", "--profiles", &profiles, "--noise-scale", "0.4", "-o", &out, "--scores"];
        let files = files.iter().map(|file| at(file));
        fixed
            .iter()
            .map(|word| (*word).to_owned())
            .chain(files)
            .chain(more.iter().map(|w| (*w).into()))
            .collect()
    };
    let words = |command: &[String]| command.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let refuse = |files: &[&str], more: &[&str], says: &[&str]| {
        let command = words(&join(files, more));
        refused(&command.lines().collect::<Vec<_>>(), says);
    };
    score("a.csv", "minigpt-2", 0, "exact,2,turns,,0");
    for (settings, says) in [
        ("exact,2,text,,0", "rendering: turns"),
        ("contains,2,turns,,0", "grader: exact"),
        ("exact,2,turns,,1", "seed: 0"),
    ] {
        // Scores of one model are averaged, and scores of two models form one feature column. Both need equal
        // settings.
        score("b.csv", "minigpt-2", 1, settings);
        refuse(&["a.csv", "b.csv"], &[], &["minigpt-2 has scores on colours", says, "settings_sha256 "]);
        refuse(&["a.csv", "b.csv"], &["--mixed-scores"], &["their mean would be meaningless"]);
        score("b.csv", "minigpt-1", 0, settings);
        refuse(
            &["a.csv", "b.csv"],
            &[],
            &["scores on colours have different settings", says, "--mixed-scores"],
        );
        let command = words(&join(&["a.csv", "b.csv"], &["--mixed-scores"]));
        let said = run(&command.lines().collect::<Vec<_>>());
        assert!(said.contains("note: scores on colours") && said.contains(says), "{said}");
    }
    // Two tasks have the same name but different hashes.
    let sha = |digit: &str| format!("exact,2,,{},", digit.repeat(64));
    score("a.csv", "minigpt-2", 0, &sha("1"));
    score("b.csv", "minigpt-1", 0, &sha("2"));
    refuse(&["a.csv", "b.csv"], &[], &["task_sha256: 111111111111", "222222222222"]);
    score("b.csv", "minigpt-2", 0, &sha("1"));
    refuse(&["a.csv", "b.csv"], &[], &["minigpt-2 on colours with 0 shots are given twice"]);
    score("b.csv", "minigpt-2", 1, &sha("1"));
    let command = words(&join(&["a.csv", "b.csv"], &[]));
    run(&command.lines().collect::<Vec<_>>());
    assert_eq!(rows(&out)[0]["accuracy_logit"], "0");
}

#[test]
fn training_rows_of_the_card_enter_no_error() {
    let (_keep, at) = folder();
    let (t, card, p) = (at("t.csv"), at("card.json"), at("predictions.csv"));
    let all = table(26);
    write(&t, &all[..24]);
    run(&["calibrate", &t, "--target", "y", "-q", "-o", &card]);
    write(&at("q.csv"), &all[20..]);
    let output = surmise(&["predict", &at("q.csv"), "--calibration", &card, "-o", &p]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let predicted = rows(&p);
    let is_known = |row: &&std::collections::BTreeMap<String, String>| row["in_training"] == "true";
    assert_eq!(predicted.iter().filter(is_known).count(), 4, "{said}");
    assert!(
        said.contains("of these rows belong to models that the card was trained on (in_training)"),
        "{said}"
    );
    let new: Vec<_> =
        predicted.iter().filter(|row| row["in_training"] == "false" && !row["y_hat"].is_empty()).collect();
    let error = |row: &std::collections::BTreeMap<String, String>| {
        let number = |column: &str| row[column].parse::<f64>().expect(column);
        (number("y_hat") - number("measured")).abs()
    };
    assert!(!new.is_empty(), "{said}");
    let mae = new.iter().map(|row| error(row)).sum::<f64>() / new.len() as f64;
    let report = surmise(&["report", "predictions", &p]);
    let caption = String::from_utf8_lossy(&report.stderr).into_owned();
    assert!(caption.contains(&format!("mean absolute error {mae:.3}")), "{caption}, not {mae:.3}");
    assert!(
        caption
            .contains("errors and coverage exclude 4 predictions for models on which the card was trained"),
        "{caption}"
    );
    assert!(caption.contains(&format!("of {} measurements inside", new.len())), "{caption}");
    let csv = String::from_utf8(report.stdout).expect("UTF-8");
    std::fs::write(at("r.csv"), &csv).expect("a file");
    for row in rows(&at("r.csv")) {
        let is_known = row["in_training"] == "true";
        assert_eq!(row["error"].is_empty(), is_known || row["y_hat"].is_empty(), "{row:?}");
        if is_known {
            assert_eq!((row["regime"].as_str(), row["inside"].as_str()), ("trained on", ""));
        }
    }
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
        for text in [&std::fs::read_to_string(&p).expect("predictions"), &csv] {
            let header = text.lines().next().unwrap_or_default();
            assert!(header.split(',').any(|name| name == column), "{column}: {header}");
        }
    }
    // Files of earlier versions have no column `in_training`; their notes contain this information.
    let without = |text: &str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let mut writer = csv::Writer::from_writer(vec![]);
        let kept = |record: &csv::StringRecord| {
            record
                .iter()
                .zip(&header)
                .filter(|(_, name)| *name != "in_training")
                .map(|(cell, _)| cell.to_owned())
                .collect::<Vec<_>>()
        };
        writer.write_record(kept(&header)).expect("a header");
        reader
            .records()
            .for_each(|record| writer.write_record(kept(&record.expect("a row"))).expect("a row"));
        writer.into_inner().expect("bytes")
    };
    std::fs::write(&p, without(&std::fs::read_to_string(&p).expect("predictions"))).expect("a file");
    let again = surmise(&["report", "predictions", &p]);
    assert_eq!(String::from_utf8_lossy(&again.stderr), caption);
}
