//! Every wire format over a real connection: a server sends each golden answer, which passes through client,
//! journal and results.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::json;
use surmise::provider::{self, KeyHeader};

use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{Reply, Server};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers")
}

/// The golden answers of a provider, except for failures, with the kinds of their outcomes.
fn answers(provider: &str) -> BTreeMap<String, String> {
    let table = std::fs::read_to_string(golden().join("expected.csv")).expect("a table");
    let rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize::<HashMap<String, String>>();
    rows.map(|row| row.expect("a row"))
        .filter(|row| row["provider"] == provider && row["status"] == "200" && row["outcome"] != "failed")
        .map(|row| (row["body"].clone(), row["outcome"].clone()))
        .collect()
}

#[test]
fn every_golden_answer_of_every_wire_format_arrives_with_its_kind() {
    for provider in provider::ALL {
        let name = provider.name();
        let expected = answers(name);
        assert!(!expected.is_empty(), "{name} has no golden answers");
        let folder = golden().join(name);
        let server = Server::start(move |posted| {
            let file = if posted.is_probe() { "200-answered.body" } else { posted.prompt.as_str() };
            Reply::new(200, std::fs::read(folder.join(file)).expect("a golden answer"))
        });
        let items = expected
            .keys()
            .map(|file| json!({"id": file, "prompt": file, "answer": "Paris"}).to_string() + "\n");
        let case = Case::of(&server.url, &items.collect::<String>());
        case.ends(0, &["--provider", name, "--keep-truncated"]);
        let came: BTreeMap<String, String> = case
            .records()
            .iter()
            .filter(|record| record["record"] == "intent" && record["probe"] != true)
            .map(|intent| {
                let outcomes = case.outcomes();
                let outcome =
                    outcomes.iter().find(|outcome| outcome["key"] == intent["key"]).expect("an outcome");
                let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                (text(&intent["item"]), text(&outcome["outcome"]))
            })
            .collect();
        assert_eq!(came, expected, "{name}");
        for posted in server.posts() {
            let (header, value) = match provider.key_header() {
                KeyHeader::Bearer => ("authorization", format!("Bearer {KEY}")),
                KeyHeader::Named(header) => (header, KEY.to_owned()),
            };
            assert_eq!(posted.headers[header], value, "{name}");
            assert!(posted.path.starts_with('/') && !posted.path.contains("key="), "{}", posted.path);
            assert_eq!(posted.headers["content-type"], "application/json");
        }
    }
}
