//! Tests that `cite` and `methods` state only what a file records.

use std::path::Path;

use serde_json::Value;

use super::command::done;
use crate::support::tidy::surmise;

fn refused(arguments: &[&str], code: i32) -> String {
    let output = surmise(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty());
    said
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The keys of BibTeX entries, in order.
fn keys(bibtex: &str) -> Vec<&str> {
    let entries = bibtex.lines().filter(|line| line.starts_with('@'));
    entries.map(|line| line.split(['{', ',']).nth(1).expect("a key")).collect()
}

#[test]
fn without_a_folder_the_tool_and_the_paper_are_cited() {
    let bibtex = done(&["cite"]);
    assert_eq!(keys(&bibtex), ["chen2025quantifying", "surmise"]);
    assert!(
        bibtex.contains("eprint = {2405.12617}") && bibtex.contains(env!("CARGO_PKG_VERSION")),
        "{bibtex}"
    );
}

#[test]
fn a_paragraph_has_the_settings_of_the_files_and_the_citations_of_cite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = text(folder.path());
    done(&[
        "-q",
        "measure",
        "minigpt-1",
        "minigpt-2",
        "--corpus",
        "colours",
        "--estimand=positional",
        "--windows",
        "300",
        "--entities",
        "3",
        "--seed",
        "7",
        "--estimator",
        "gaussian",
        "-o",
        path,
    ]);
    let paragraph = done(&["methods", path]);
    for part in [
        "2 models (minigpt-1 and minigpt-2; 16.9 thousand to 30.0 thousand parameters)",
        "on colours",
        "300 windows of 3 entities or tokens, seed 7",
        "the estimator gaussian (Anderson 2003)",
        "positional emergence (Chen et al. 2025)",
        concat!("surmise version ", env!("CARGO_PKG_VERSION"), " (The authors of surmise 2026)."),
    ] {
        assert!(paragraph.contains(part), "no `{part}` in {paragraph}");
    }
    // Settings that no file records are left out.
    assert!(!paragraph.contains("b = ") && !paragraph.contains("calibration"), "{paragraph}");
    let latex = done(&["methods", path, "--format", "latex"]);
    assert!(latex.contains("gaussian~\\citep{anderson2003introduction}"), "{latex}");
    let cited = done(&["cite", path]);
    let cited = keys(&cited);
    assert_eq!(cited, ["anderson2003introduction", "chen2025quantifying", "surmise"]);
    let mut rest = latex.as_str();
    while let Some((_, after)) = rest.split_once("\\citep{") {
        let (list, after) = after.split_once('}').expect("a brace");
        assert!(list.split(',').all(|key| cited.contains(&key)), "{list}");
        rest = after;
    }
    assert_eq!(paragraph, done(&["methods", path]));
}

#[test]
fn unknown_members_and_methods_are_refused_with_their_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = text(folder.path());
    assert!(refused(&["methods", path], 2).contains("contains no file that records settings"));
    let head = |version: u32| serde_json::json!({"name": "mi", "version": version, "tool_version": "0.1.0"});
    let file = folder.path().join("mi.json");
    let put = |value: &Value| std::fs::write(&file, value.to_string()).expect("a file");
    put(&serde_json::json!({"schema": head(2), "estimator": "ksg", "seed": 1, "n": 9}));
    assert!(
        done(&["methods", path])
            .contains("the estimator ksg (Holmes and Nemenman 2019; Kraskov et al. 2004)")
    );
    for (value, part) in [
        (serde_json::json!({"schema": head(2), "estimator": "ksg", "seed": 1, "n": 9, "k": 3}), "member `k`"),
        (serde_json::json!({"schema": head(2), "estimator": "oracle", "seed": 1, "n": 9}), "`oracle`"),
        (serde_json::json!({"schema": head(9), "estimator": "ksg", "seed": 1, "n": 9}), "version 9"),
        (serde_json::json!({"schema": head(2), "estimator": "ksg", "seed": 1}), "mi.json"),
    ] {
        put(&value);
        let said = refused(&["methods", path], 1);
        assert!(said.contains(part) && said.contains("mi.json"), "{said}");
        assert!(refused(&["cite", path], 1).contains("mi.json"));
    }
    std::fs::write(&file, "{\"schema\": ").expect("a file");
    assert!(refused(&["methods", path], 1).contains("mi.json"));
    std::fs::write(&file, "{}").expect("a file");
    let table = folder.path().join("groups.csv");
    std::fs::write(&table, "model,group_a,group_b,mood\nm,a,b,good\n").expect("a file");
    let said = refused(&["methods", path], 1);
    assert!(said.contains("groups.csv") && said.contains("`mood`"), "{said}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    done(&["man", "-o", text(folder.path())]);
    for page in ["surmise.1", "surmise-measure.1", "surmise-collect-rescore.1"] {
        let text = std::fs::read_to_string(folder.path().join(page)).expect(page);
        assert!(text.contains(".TH") && text.contains(".SH OPTIONS"), "{page}");
    }
    assert!(done(&["man"]).contains(".SH SUBCOMMANDS"));
}
