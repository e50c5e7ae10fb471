//! Tests the files, messages and errors of `surmise measure` with the semantic estimand.

use std::path::Path;

use super::command::{done, rows};
use crate::support::tidy::surmise;

/// A small design.
const SMALL: [&str; 7] = ["--shots", "1,2", "--sets", "6", "--queries", "5", "-o"];

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_folder_has_a_row_for_each_block_and_shot_and_is_measured_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("p");
    let out = out.to_str().expect("UTF-8");
    let arguments =
        [&["measure", "minigpt-2", "--corpus", "countries", "--corpus", "animals"], &SMALL[..], &[out]];
    let first = surmise(&arguments.concat());
    assert!(first.status.success() && first.stdout.is_empty(), "{}", said(&first));
    for words in ["the estimand is semantic", "countries, 2 shots, BOS", "random init", "accuracy"] {
        assert!(said(&first).contains(words), "{words}: {}", said(&first));
    }
    let read = |name: &str| std::fs::read_to_string(Path::new(out).join(name)).expect("a table");
    let profiles = read("profiles.csv");
    let header = profiles.lines().next().expect("a header");
    for column in [
        "model",
        "corpus",
        "shots",
        "block",
        "blocks",
        "macro_share",
        "macro_nats",
        "micro_nats",
        "emergence_nats",
        "output_share",
        "macro_share_random_init",
        "is_headline",
    ] {
        assert!(header.split(',').any(|name| name == column), "{column}: {header}");
    }
    let blocks = surmise::model::Model::load("minigpt-2").expect("embedded").info.n_layers;
    assert_eq!(profiles.lines().count(), 1 + 2 * 2 * blocks);
    // Every row contains the settings that affect the numbers, so that two settings can be distinguished.
    for file in ["profiles.csv", "summaries.csv", "readings.csv"] {
        for row in rows(&read(file)) {
            for column in ["form", "bos", "dtype", "seed", "weights_sha256", "corpus_sha256", "version"] {
                assert!(!row[column].is_empty(), "{column} of {file}");
            }
            let profile = &row["profile"];
            assert!(Path::new(out).join(format!("{profile}.json")).is_file(), "{profile}");
        }
    }
    assert_eq!(read("summaries.csv").lines().count(), 1 + 2 * 2);
    // The file has rows for five noise scales and three controls, for trained and for random weights.
    let controls = read("readings.csv").lines().filter(|row| row.contains("no_shared_answer")).count();
    assert_eq!(read("readings.csv").lines().count(), 1 + 2 * 2 * 2 * blocks * 7 + controls);

    let again = surmise(&arguments.concat());
    assert!(said(&again).contains("which was not repeated"), "{}", said(&again));
    assert_eq!(read("profiles.csv"), profiles);
    let positional = ["measure", "minigpt-2", "--estimand", "positional", "--corpus", "countries", "-o", out];
    let refused = surmise(&positional);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("another estimand"), "{}", said(&refused));
}

#[test]
fn the_same_flags_give_the_same_bytes_on_stdout() {
    let bare = [
        "measure",
        "minillama-1",
        "--corpus",
        "countries",
        "--shots",
        "1",
        "--sets",
        "4",
        "--queries",
        "4",
        "-q",
    ];
    let one = done(&[&bare[..], &["--threads", "1"]].concat());
    assert_eq!(one, done(&[&bare[..], &["--threads", "2"]].concat()));
    assert!(one.starts_with("model,"));
    let off = done(&[&bare[..], &["--random-init", "off"]].concat());
    let column =
        off.lines().next().expect("a header").split(',').position(|name| name == "macro_share_random_init");
    let cell = off.lines().nth(1).expect("a row").split(',').nth(column.expect("a column"));
    assert_eq!(cell, Some(""));
}

#[test]
fn categories_with_fewer_than_two_relations_are_positional_and_contradictions_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, header: &str, row: &dyn Fn(usize) -> String| {
        let names =
            ["France", "Italy", "Spain", "Peru", "Japan", "China", "Egypt", "India", "Kenya", "Chile"];
        let rows: String = (0..names.len()).map(|i| format!("{}{}\n", names[i], row(i))).collect();
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{header}\n{rows}")).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let list = file("list.csv", "entity", &|_| String::new());
    let one = file("one.csv", "entity,a", &|_| ",Asia".into());
    let measure = |flags: &[&str]| surmise(&[&["measure", "minigpt-1", "--windows", "60"], flags].concat());
    for corpus in [&list, &one] {
        let output = measure(&["--corpus", corpus, "--shots", "2"]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("fewer than two relations: the estimand is positional"));
    }
    let output = measure(&["--corpus", "countries", "--shots", "2"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output)
            .contains("--windows applies to the positional estimand only: the estimand is positional")
    );
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = surmise(arguments);
        assert!(!output.status.success() && output.stdout.is_empty());
        words.iter().for_each(|word| assert!(said(&output).contains(word), "{word}: {}", said(&output)));
    };
    let semantic = |corpus: &str, flags: &[&str], words: &[&str]| {
        let all = ["measure", "minigpt-1", "--estimand", "semantic", "--corpus", corpus];
        refused(&[&all[..], flags].concat(), words);
    };
    semantic(&one, &[], &["has 1 relation, a", "needs 2"]);
    semantic("countries", &["--windows", "60"], &["--windows", "positional"]);
    semantic("countries", &["--shots", "0"], &["--shots", "such as --shots 0,1"]);
    semantic("countries", &["--sets", "90"], &["has 100 entities", "need 106"]);
    semantic("countries", &["--shots", "40", "--sets", "4"], &["64 positions", "40 shots"]);
    let equal = file("equal.csv", "entity,a,b", &|i| format!(",a{i},a{i}"));
    semantic(&equal, &["--sets", "4", "--queries", "3", "--shots", "1"], &["a and b have the same answers"]);
    let empty = file("empty.csv", "entity,a,b", &|i| format!(",a{i},{}", if i == 4 { "" } else { "b" }));
    semantic(
        &empty,
        &["--sets", "4", "--queries", "3", "--shots", "1"],
        &["column b has no answer for \"Japan\""],
    );
    semantic(
        "elements",
        &[],
        &[
            "cannot spell entity",
            "96 of 96 rows",
            "an embedded model, which has tokens only for the words of its own corpora",
            "(countries, animals, colours, numbers, cities)",
            "or a real model",
        ],
    );
    let positional = ["measure", "minigpt-1", "--estimand", "positional", "--windows", "60"];
    let words = ["has no token for", "an embedded model has tokens only for the words of its own corpora"];
    refused(&[&positional[..], &["--corpus", "elements"]].concat(), &words);
    // If only a few rows have a word without a token, the error suggests removing these rows.
    let rows: String = (0..12)
        .map(|i| {
            format!(
                "{},{},{}\n",
                [
                    "france", "italy", "spain", "peru", "japan", "china", "egypt", "india", "kenya", "chile",
                    "greece", "zzyzx"
                ][i],
                ["paris", "rome"][i % 2],
                ["asia", "europe"][i / 6]
            )
        })
        .collect();
    let few = folder.path().join("few.csv");
    std::fs::write(&few, format!("entity,a,b\n{rows}")).expect("written");
    let few = few.to_str().expect("UTF-8");
    let small = ["--sets", "9", "--queries", "3", "--shots", "1"];
    semantic(few, &small, &["cannot spell entity \"zzyzx\"", "1 of 12 rows have such a word; remove these"]);
    let alike = ["--with-control", "foreign-query", "--foreign", "animals"];
    let flags = ["--corpus", "animals", "--sets", "4", "--queries", "3", "--shots", "1"];
    semantic("countries", &[&flags[..], &alike].concat(), &["has 0 entities that animals does not have"]);
    refused(
        &["measure", "minigpt-1", "--corpus", "countries", "--corpus", &one],
        &["--estimand is required"],
    );
}
