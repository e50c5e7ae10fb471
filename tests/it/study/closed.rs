//! Tests studies with closed models behind an API: a separate server, budgets, and missing answers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::support::{DESIGN, MODELS, StudyCase};
use crate::cli::command::rows;
#[cfg(unix)]
use crate::support::batch_server::{BatchServer, Script};

/// A model behind `surmise serve`.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(model: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_surmise"))
            .args(["-q", "serve", model, "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let mut url = String::new();
        let out = process.stdout.as_mut().expect("stdout");
        BufReader::new(out).read_line(&mut url).expect("a URL");
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

fn study(target: &str) -> String {
    let open = MODELS.split("[[closed]]").next().expect("open models");
    format!("{DESIGN}{open}[[closed]]\n{target}")
}

#[test]
fn a_model_behind_an_api_is_predicted_like_the_same_model_in_the_process() {
    let server = Served::start("factqwen-4");
    let url = &server.url;
    let wire = format!(
        "model = \"factqwen-4\"\nid = \"hidden\"\nfamily = \"factqwen\"\nprovider = \"openai-completions\"\n\
         base_url = \"{url}\"\n"
    );
    let case = StudyCase::new(&study(&wire));
    let (printed, _) = case.done(&["run"]);
    let here = StudyCase::new(&format!("{DESIGN}{MODELS}"));
    let (beside, _) = here.done(&["run"]);
    let (asked, served) = (rows(&printed), rows(&beside));
    assert_eq!(asked[0]["target_model"], "hidden");
    for column in ["y_hat", "low", "high"] {
        let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{text:?}"));
        // The server decodes several requests at once, which changes the last digits of the results.
        assert!((number(&asked[0][column]) - number(&served[0][column])).abs() < 1e-4, "{column}");
    }
    assert!(asked[0]["measured"].is_empty() && !served[0]["measured"].is_empty());
    // Every question is asked once: the second run needs no server.
    drop(server);
    let (_, said) = case.done(&["run"]);
    assert!(said.contains("0 tasks done, 25 were done before"), "{said}");
}

#[test]
fn a_missing_server_is_a_gap_and_the_other_tasks_are_done() {
    let wire = "model = \"m\"\nprovider = \"openai-completions\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
    let case = StudyCase::new(&study(wire));
    let said = case.refused(&["run"], 3);
    assert!(said.contains("24 tasks done, 1 failed") && said.contains("collect m: "), "{said}");
    assert!(said.contains("m has no answers, so it is not predicted"), "{said}");
    let (doctor, _) = case.done(&["doctor"]);
    assert!(doctor.contains("`collect m` failed"), "{doctor}");
    // The row of the model gives the reason.
    let predictions = rows(&case.read("study/predictions.csv"));
    assert_eq!((predictions.len(), predictions[0]["status"].as_str()), (1, "unsupported"));
}

#[test]
fn a_plan_of_a_paid_model_shows_dollars_and_needs_no_key() {
    let prices = "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = 1.0\n\
                  output_usd_per_million_tokens = 4.0\n";
    let wire = "model = \"m\"\nprovider = \"openai-chat\"\nbudget_usd = 1.0\nprices = \"prices.toml\"\n";
    let case = StudyCase::new(&study(wire));
    std::fs::write(case.path("prices.toml"), prices).expect("prices");
    let (csv, _) = case.done(&["plan", "--csv"]);
    let plan = rows(&csv);
    let row = plan.iter().find(|row| row["task"] == "collect m").expect("a row");
    let number = |column: &str| row[column].parse::<f64>().unwrap_or_else(|_| panic!("{column}: {row:?}"));
    // The plan counts a prompt for each of 3 relations, 4 sets and 4 queries, and the probes.
    assert!(number("calls") >= 48.0 && number("usd_low") > 0.0 && number("usd_high") > number("usd_low"));
    let said = case.refused(&["run"], 2);
    assert!(said.contains("OPENAI_API_KEY"), "{said}");
    // In batches the cost is lower.
    case.write(&study(&format!("{wire}batch = true\n")));
    let (csv, _) = case.done(&["plan", "--csv"]);
    let plan = rows(&csv);
    let by_batch = plan.iter().find(|row| row["task"] == "collect m").expect("a row");
    let usd: f64 = by_batch["usd_high"].parse().expect("dollars");
    assert!(usd > number("usd_high") * 0.5 && usd < number("usd_high") * 0.6, "{by_batch:?}");
    assert_eq!(by_batch["seconds"].parse(), Ok(86_400.0), "{by_batch:?}");
    // A budget is required if money can be spent.
    case.write(&study("model = \"m\"\nprovider = \"openai-chat\"\n"));
    assert!(case.refused(&["plan"], 2).contains("m has no budget"));
}

#[cfg(unix)]
#[test]
fn a_model_is_asked_in_batches_if_the_file_sets_batch() {
    let server = BatchServer::start(Script::default());
    let wire = format!("model = \"m\"\nprovider = \"openai-chat\"\nbase_url = \"{}\"\n", server.url);
    let case = StudyCase::new(&study(&format!("{wire}batch = true\n")));
    let said = case.run(&["run"]);
    assert_eq!(server.state().sizes, [48], "{}", String::from_utf8_lossy(&said.stderr));
    // Only the probe is sent as a single request.
    assert_eq!(server.count("chat/completions"), 1);
    case.write(&study("weights = \"factqwen-4\"\nbatch = true\n"));
    assert!(case.refused(&["plan"], 2).contains("`batch` needs a `provider`"));
    case.write(&study(&format!("{}batch = true\n", wire.replace("openai-chat", "ollama"))));
    assert!(case.refused(&["plan"], 2).contains("`batch` of m is not supported: ollama has no batch API"));
}

#[test]
fn a_budget_covers_all_questions_of_a_model_and_a_plan_counts_them() {
    let server = Served::start("factqwen-1");
    let url = &server.url;
    let prices = "date = 2026-11-01\n[models.factqwen-1]\ninput_usd_per_million_tokens = 10.0\n\
                  output_usd_per_million_tokens = 100.0\n";
    let target = format!(
        "model = \"factqwen-1\"\nprovider = \"openai-completions\"\nbase_url = \"{url}\"\n\
         prices = \"prices.toml\"\nbudget_usd = "
    );
    let with_tasks = |budget: &str| {
        study(&format!("{target}{budget}\n")).replace("[design]\n", "[design]\ntasks = [\"moons\"]\n")
    };
    let case = StudyCase::new(&with_tasks("0.1"));
    std::fs::write(case.path("prices.toml"), prices).expect("prices");
    let number = |row: &std::collections::BTreeMap<String, String>, column: &str| {
        row[column].parse::<f64>().unwrap_or_else(|_| panic!("{column}: {row:?}"))
    };
    let (csv, _) = case.done(&["plan", "--csv"]);
    let plan = rows(&csv);
    let row = plan.iter().find(|row| row["task"] == "collect factqwen-1").expect("a row");
    // Each of 48 prompts is asked once and scored with 3 answers, and the task has more than a hundred
    // questions.
    assert!(number(row, "calls") > 48.0 * 4.0 + 100.0, "{row:?}");
    let said = case.refused(&["run"], 4);
    assert!(said.contains("budget"), "{said}");
    let spent = |part: &str| {
        let text = case.read(&format!("study/{part}/factqwen-1/summary.json"));
        let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        summary["spent_usd"].as_f64().expect("dollars")
    };
    let all = spent("answers") + spent("scores");
    assert!(all <= 0.1 && all > 0.0, "{all}");
}
