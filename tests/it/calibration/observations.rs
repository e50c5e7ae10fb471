//! Tests with the real binary that profiles, scores and readings are joined into one table.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use rand::Rng;
use surmise::emergence::Profile;

use crate::support::tidy::{folder, rows, surmise};
use crate::support::truth::generator;

fn run(arguments: &[&str]) {
    let output = surmise(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

/// Every profile of a folder, by model and corpus.
fn profiles(folder: &str) -> BTreeMap<(String, String), Profile> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let json = files.filter(|file| file.extension().is_some_and(|json| json == "json"));
    let read = json.filter_map(|file| Profile::read(&file).ok());
    read.map(|profile| ((profile.model.id.clone(), profile.corpus.name.clone()), profile)).collect()
}

#[test]
fn profiles_and_scores_become_a_table_that_is_calibrated_for_an_api() {
    let (_keep, at) = folder();
    let measured = surmise(&[
        "measure",
        "--estimand=positional",
        "minigpt-1",
        "minigpt-2",
        "minigpt-3",
        "minigpt-4",
        "minillama-1",
        "minillama-2",
        "--corpus",
        "colours",
        "--windows",
        "100",
        "-o",
        &at("profiles"),
    ]);
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    let header = "provider,model,model_snapshot,task,shots,n_items,n_scored,n_refused,n_filtered,\
                  n_truncated,n_empty,n_unreadable,n_error,accuracy,accuracy_low,accuracy_high,\
                  accuracy_all_as_wrong,mean_logprob,collected_at\n";
    let mut scores = header.to_owned();
    for (model, hits) in
        [("minigpt-2", 40), ("minigpt-3", 60), ("minigpt-4", 70), ("minillama-2", 50), ("closed-1", 90)]
    {
        for shots in [0, 3] {
            let share = f64::from(hits + 2 * shots) / 100.0;
            scores.push_str(&format!("x,{model},,colours,{shots},100,100,0,0,0,0,0,0,{share},,,{share},,\n"));
        }
    }
    std::fs::write(at("scores.csv"), scores).expect("scores");
    let join = |extra: &[&str]| {
        let (profiles, scores, out) = (at("profiles"), at("scores.csv"), at("observations.csv"));
        let mut arguments = vec![
            "observations",
            "--profiles",
            &profiles,
            "--scores",
            &scores,
            "--noise-scale",
            "0.4",
            "-o",
            &out,
        ];
        arguments.extend(extra);
        surmise(&arguments)
    };
    // A closed model of an unknown family, or of a family without measurements, has a row with the reason and
    // does not affect other rows.
    for (models, why) in
        [("", "its family is unknown"), ("closed-1,foreign,0.5\n", "no member of the family foreign")]
    {
        std::fs::write(at("models.csv"), format!("model,family,params_b\n{models}")).expect("models");
        let output = join(&["--models", &at("models.csv")]);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = rows(&at("observations.csv"));
        assert!(rows[0]["target_model"] == "closed-1" && rows[0]["note"].contains(why), "{rows:?}");
        assert!(rows[0]["proxy_model"].is_empty() && rows[0]["proxy_headline_nats"].is_empty());
        assert!(
            !rows[0]["accuracy_logit"].is_empty() && rows[0]["corpus_sha256"] == rows[1]["corpus_sha256"]
        );
        assert_eq!(
            rows.iter().map(|row| row["status"] == "ok").collect::<Vec<_>>(),
            [false, true, true, true, true]
        );
    }
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed-1,minigpt,-0.5\n").expect("models");
    let output = join(&["--models", &at("models.csv")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("gives closed-1 the params_b -0.5"));
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed-1,minigpt,0.5\n").expect("models");
    let output = join(&["--models", &at("models.csv")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&at("observations.csv"));
    assert!(rows.iter().all(|row| row["status"] == "ok" && row["note"].is_empty()));
    let names: Vec<&str> = rows.iter().map(|row| row["target_model"].as_str()).collect();
    assert_eq!(names, ["closed-1", "minigpt-2", "minigpt-3", "minigpt-4", "minillama-2"]);
    assert!(
        rows.iter().all(|row| row["proxy_model"]
            == if row["family"] == "minillama" { "minillama-1" } else { "minigpt-1" })
    );
    let closed = &rows[0];
    assert!(
        closed["emergence_nats"].is_empty()
            && closed["ie_final_nats"].is_empty()
            && closed["params_b"] == "0.5"
    );
    // The odds are (90 + .5) / (10 + .5) without shots and (96 + .5) / (4 + .5) with three shots. The level
    // is the mean of their logits. The slope is the change of the logit per unit of log2(shots + 1), which is
    // 0 and 2 here.
    let (a, b) = ((90.5f64 / 10.5).ln(), (96.5f64 / 4.5).ln());
    let number = |name: &str| closed[name].parse::<f64>().expect(name);
    assert!((number("accuracy_logit") - (a + b) / 2.0).abs() < 1e-12);
    assert!((number("accuracy_slope") - (b - a) / 2.0).abs() < 1e-12);
    assert_eq!(closed["score_colours_logit"], closed["accuracy_logit"]);
    let open = &rows[2];
    assert!(!open["emergence_nats"].is_empty() && !open["emergence_stderr_nats"].is_empty());
    let internal = surmise(&[
        "calibrate",
        &at("observations.csv"),
        "--target",
        "emergence_nats",
        "--features",
        "ie_final_nats",
        "--for-api",
    ]);
    assert!(String::from_utf8_lossy(&internal.stderr).contains("API"));
}

#[test]
fn seeds_become_a_standard_error_and_depth_bytes_entropy_and_vocabulary_the_units() {
    let (_keep, at) = folder();
    for seed in ["0", "1"] {
        let folder = at(seed);
        run(&[
            "measure",
            "--estimand=positional",
            "minigpt-2",
            "minigpt-3",
            "--corpus",
            "colours",
            "--windows",
            "80",
            "--seed",
            seed,
            "-o",
            &folder,
        ]);
    }
    let out = at("observations.csv");
    run(&[
        "observations",
        "--profiles",
        &at("0"),
        "--profiles",
        &at("1"),
        "--noise-scale",
        "0.4",
        "-o",
        &out,
    ]);
    let table = rows(&out);
    assert_eq!(
        (table.len(), table[0]["target_model"].as_str(), table[0]["n_seeds"].as_str()),
        (1, "minigpt-3", "2")
    );
    // A folder given twice does not count as a second seed.
    let before = std::fs::read(&out).expect("the table");
    let twice =
        ["observations", "--profiles", &at("0"), "--profiles", &at("0"), "--noise-scale", "0.4", "-o", &out];
    let output = surmise(&twice);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1) && told.contains("minigpt-2 on colours occurs twice with seed 0"),
        "{told}"
    );
    // The table must not replace a profile or another input file.
    let profile = std::fs::read_dir(at("1")).expect("a folder").flatten().map(|entry| entry.path());
    let profile = profile.filter(|path| path.to_string_lossy().contains("--")).min().expect("a profile");
    let profile = profile.to_str().expect("UTF-8").to_owned();
    let output = surmise(&["observations", "--profiles", &at("1"), "--noise-scale", "0.4", "-o", &profile]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("-o would replace"), "{told}");
    assert!(Profile::read(profile.as_ref()).is_ok() && std::fs::read(&out).expect("the table") == before);
    let row = &table[0];
    let of =
        |seed: &str| profiles(&at(seed)).remove(&("minigpt-3".into(), "colours".into())).expect("a profile");
    let both = [of("0"), of("1")];
    let headlines = both.each_ref().map(|profile| profile.headline_at(0.4).expect("a headline"));
    let [a, b] = headlines.map(|headline| headline.emergence_nats);
    let own = headlines.iter().filter_map(|headline| headline.stderr_nats).fold(0.0f64, f64::hypot) / 2.0;
    let near = |column: &str, wanted: f64| {
        assert!(
            (number(row, column) - wanted).abs() < 1e-12 * (1.0 + wanted.abs()),
            "{column}: {row:?}, not {wanted}"
        );
    };
    near("emergence_nats", (a + b) / 2.0);
    // The standard deviation of two values is |a - b| / sqrt 2, so the standard error of their mean is |a -
    // b| / 2.
    near("seed_stderr_nats", (a - b).abs() / 2.0);
    near("emergence_stderr_nats", own.hypot((a - b) / 2.0));
    // Each colour is one token, and so is each comma.
    for profile in &both {
        assert_eq!(profile.corpus.n_tokens, 80 * profile.corpus.shots * 2);
        assert!(profile.corpus.n_bytes > profile.corpus.n_tokens);
    }
    let tokens_per_byte = both.each_ref().map(|profile| profile.corpus.tokens_per_byte().expect("bytes"));
    let tokens = (tokens_per_byte[0] + tokens_per_byte[1]) / 2.0;
    near("tokens_per_byte", tokens);
    near("emergence_bits_per_byte", (a + b) / 2.0 * tokens / LN_2);
    near(
        "ie_mean_per_log_vocab",
        number(row, "ie_mean_max_shots_nats") / (both[0].model.vocab_size as f64).ln(),
    );
    // With three blocks, u is 2/3 and 1; the slope through two points is their difference divided by a third.
    let depth = both[0].model.n_layers as f64;
    let last = |profile: &Profile, block: usize| {
        let at = |r: &&surmise::emergence::BlockReading| {
            r.block == block
                && r.noise_scale == Some(0.4)
                && r.reading_index == profile.corpus.shots
                && r.role == surmise::corpus::Role::Entity
        };
        profile.blocks.iter().find(at).expect("a reading").emergence_nats
    };
    let blocks = both[0].model.n_layers;
    let slope = both.each_ref().map(|p| (last(p, blocks) - last(p, 2)) / ((blocks as f64 - 2.0) / depth));
    if blocks == 3 {
        near("ie_slope_u_nats", (slope[0] + slope[1]) / 2.0);
    }
    near("ie_final_nats", (last(&both[0], blocks) + last(&both[1], blocks)) / 2.0);
    // If the proxy has one seed and the target has two seeds, they were measured on different texts.
    assert!(profile.contains("minigpt-2--"), "{profile}");
    std::fs::remove_file(&profile).expect("the proxy's second profile");
    let output = surmise(&[
        "observations",
        "--profiles",
        &at("0"),
        "--profiles",
        &at("1"),
        "--noise-scale",
        "0.4",
        "-o",
        &out,
    ]);
    let row = &rows(&out)[0];
    assert!(output.status.code() == Some(3) && row["status"] == "unsupported", "{row:?}");
    assert!(row["note"].contains("seeds 0, 1, but its proxy minigpt-2 with seeds 0"), "{row:?}");
    assert!(row["proxy_headline_nats"].is_empty() && !row["emergence_nats"].is_empty(), "{row:?}");
}

#[test]
fn readings_by_one_reader_are_joined_to_the_authors_and_other_settings_are_refused() {
    let (_keep, at) = folder();
    let series = ["minigpt-1", "minigpt-2", "minigpt-3", "--corpus", "colours", "--windows", "60", "-o"];
    run(&[&["measure", "--estimand=positional"], &series[..], &[at("profiles").as_str()]].concat());
    let animals =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/animals.csv")).expect("animals");
    let words: Vec<&str> = animals.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.contains(' ')).collect();
    let (mut texts, mut random) = (String::from("group,text\n"), generator(3));
    for _ in 0..70 {
        for (group, n) in [("minigpt-2", 5), ("org/closed.1", 20), ("reference", words.len()), ("nobody", 9)]
        {
            let text: Vec<&str> = (0..8).map(|_| words[random.random_range(0..n)]).collect();
            texts.push_str(&format!("{group},{}\n", text.join(" ")));
        }
    }
    let file = at("t.csv");
    std::fs::write(&file, texts).expect("texts");
    let read = |reader: &str, folder: &str, flags: &[&str]| {
        let all = [
            "measure",
            "--estimand=positional",
            reader,
            "--texts",
            &file,
            "--window-tokens",
            "8",
            "-o",
            folder,
        ];
        run(&[&all[..], flags].concat());
    };
    read("minillama-1", &at("readings"), &[]);
    std::fs::write(at("models.csv"), "model,family,params_b\norg/closed.1,minigpt,1\n").expect("models");
    let out = at("observations.csv");
    let join = |readings: &[&str]| {
        let (profiles, models) = (at("profiles"), at("models.csv"));
        let mut all = vec![
            "observations",
            "--profiles",
            &profiles,
            "--models",
            &models,
            "--noise-scale",
            "0.4",
            "-o",
            &out,
        ];
        readings.iter().for_each(|folder| all.extend(["--readings", folder]));
        let output = surmise(&all);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = join(&[&at("readings")]);
    assert!(code == Some(0) && told.contains("match no target: t.nobody"), "{told}");
    let table = rows(&out);
    let by_name = |name: &str| table.iter().find(|row| row["target_model"] == name).expect("a row");
    let seen = profiles(&at("readings"));
    let of = |group: &str| {
        let profile = &seen[&("minillama-1".to_owned(), format!("t.{}", group.replace('/', "--")))];
        let own = profile.headline_at(0.4).expect("a headline").emergence_nats;
        (own, own - profile.control_headline_at(0.4).expect("a control").emergence_nats, profile)
    };
    let reference = of("reference");
    for name in ["minigpt-2", "org/closed.1"] {
        let (row, (own, beyond, profile)) = (by_name(name), of(name));
        let near = |column: &str, wanted: f64| {
            assert!((number(row, column) - wanted).abs() < 1e-12, "{column}: {row:?}");
        };
        near("reading_nats", own);
        near("reading_less_control_nats", beyond);
        near("reading_gain_nats", own - reference.0);
        near("reading_gain_less_control_nats", beyond - reference.1);
        near("reading_bits_per_byte", own * profile.corpus.tokens_per_byte().expect("bytes") / LN_2);
        assert!(number(row, "reading_stderr_nats") > 0.0 && row["reader"].contains("minillama-1"), "{row:?}");
    }
    assert!(by_name("minigpt-3")["reading_nats"].is_empty() && by_name("minigpt-3")["status"] == "ok");

    // Readings by another reader, or with fewer windows, are not comparable.
    read("minigpt-1", &at("other"), &[]);
    let (code, told) = join(&[&at("readings"), &at("other")]);
    assert!(
        code == Some(1)
            && told.contains("minillama-1")
            && told.contains("minigpt-1")
            && told.contains("in the same way"),
        "{told}"
    );
    read("minillama-1", &at("fewer"), &["--windows", "50", "--seed", "1"]);
    assert!(join(&[&at("readings"), &at("fewer")]).1.contains("50 windows"));

    // comparisons.csv contains the same two quantities as readings: the emergence, and the emergence minus
    // the emergence of the control.
    let csv = at("comparisons.csv");
    run(&[
        "compare",
        "minillama-1",
        "--texts",
        &file,
        "--window-tokens",
        "8",
        "--permutations",
        "19",
        "-o",
        &csv,
    ]);
    assert_eq!(join(&[&csv]).0, Some(0));
    let table = rows(&out);
    let row = table.iter().find(|row| row["target_model"] == "minigpt-2").expect("a row");
    let pairs = rows(&csv);
    let pair = |quantity: &str| {
        let is = |r: &&BTreeMap<String, String>| {
            r["quantity"] == quantity
                && r["group_a"].ends_with("minigpt-2")
                && r["group_b"].ends_with("reference")
                || r["quantity"] == quantity
                    && r["group_b"].ends_with("minigpt-2")
                    && r["group_a"].ends_with("reference")
        };
        let row = pairs.iter().find(is).expect("a pair");
        if row["group_a"].ends_with("reference") {
            -number(row, "difference_nats")
        } else {
            number(row, "difference_nats")
        }
    };
    // The last digits of the value of a group depend on the other group of the pair.
    assert!((number(row, "reading_gain_nats") - pair("emergence")).abs() < 2e-6);
    assert!((number(row, "reading_gain_less_control_nats") - pair("emergence_less_control")).abs() < 2e-6);
    assert!(join(&[&csv, &at("readings")]).1.contains("either profiles of texts or comparisons"));
}
