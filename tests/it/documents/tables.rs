//! Tests that the generated tables of the documents equal the output of the program.

use clap::{Command, CommandFactory};

use crate::support::generated::{check, table};
use crate::support::tidy::surmise;

/// The name and the given columns of each line that `surmise list WHAT` prints.
fn listed(what: &str, columns: &[usize]) -> Vec<Vec<String>> {
    let output = surmise(&["list", what]);
    assert!(output.status.success(), "{what}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows = text.lines().map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let name = std::iter::once(format!("`{}`", cells[0]));
        name.chain(columns.iter().map(|&column| cells[column].to_owned())).collect()
    });
    rows.collect()
}

fn list(what: &str, head: &[&str], columns: &[usize]) -> String {
    let rows = listed(what, columns);
    assert!(rows.len() > 3, "{what}");
    table(head, rows.iter().map(|row| row.iter().map(String::as_str)))
}

/// A row for each command, with its first example.
fn commands(command: &Command, path: &str, rows: &mut Vec<[String; 3]>) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let path = format!("{path} {}", verb.get_name());
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let help = surmise(&[path.trim().split(' ').collect(), vec!["--help"]].concat());
        let help = String::from_utf8(help.stdout).expect("UTF-8");
        let example = help.split("Examples:\n").nth(1).and_then(|examples| examples.lines().next());
        let example = example.unwrap_or_else(|| panic!("{path} has no example")).trim();
        rows.push([format!("`{}`", path.trim()), about, format!("`{example}`")]);
        commands(verb, &path, rows);
    }
}

#[test]
fn documented_tables_are_those_of_the_program() {
    let mut rows = vec![];
    commands(&surmise::cli::Opts::command(), "", &mut rows);
    assert!(rows.len() > 20, "{rows:?}");
    let commands =
        table(&["command", "what it does", "example"], rows.iter().map(|row| row.iter().map(String::as_str)));
    check("docs/commands.md", &[("commands", commands)]);
    let corpora = list("corpora", &["name", "entities", "relations"], &[1, 2]);
    check("docs/measure.md", &[("corpora", corpora)]);
    let estimators =
        list("estimators", &["estimator", "kind", "what it does", "cost", "limits"], &[1, 2, 4, 5]);
    check("docs/estimators.md", &[("estimators", estimators)]);
    let providers = list("providers", &["provider", "base URL", "variable of the key"], &[1, 2]);
    check("docs/collect.md", &[("providers", providers)]);
    let reports = list("reports", &["report", "reads", "shows"], &[1, 2]);
    check("docs/reports.md", &[("reports", reports)]);
}
