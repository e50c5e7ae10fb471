//! The cost of an answer: token counts that are missing, zero or impossible; prices by kind of token and by
//! service tier; and the cost that a provider states.

use serde_json::{Value, json};

use crate::support::collect_case::Case;
use crate::support::fault_server::{Posted, Reply, Server, chat};

const PRICES: &str = "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = \
                      1.0\noutput_usd_per_million_tokens = 2.0\n";

fn server(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Server {
    Server::start(move |posted: &Posted| {
        let mut body = chat(posted.word(), "stop");
        change(&mut body);
        Reply::new(200, body.to_string())
    })
}

fn case(server: &Server, n: usize, prices: &str) -> Case {
    let case = Case::new(server, n);
    std::fs::write(case.folder.path().join("prices.toml"), prices).expect("a file");
    case
}

fn summary(case: &Case) -> Value {
    serde_json::from_str(&case.file("summary.json")).expect("JSON")
}

#[test]
fn a_count_of_zero_for_a_text_is_treated_as_missing() {
    let zero = |body: &mut Value| {
        body["usage"] = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
    };
    let missing = |body: &mut Value| {
        body.as_object_mut().expect("an object").remove("usage");
    };
    let arguments = ["--budget-usd", "0.0004", "--prices", "prices.toml", "--max-tokens", "64"];
    let spent = [server(zero), server(missing)].map(|server| {
        let case = case(&server, 30, PRICES);
        case.ends(4, &arguments);
        summary(&case)["spent_usd"].as_f64().expect("a cost")
    });
    // A request reserves at most 24 + 16 prompt tokens at 1 USD and 64 answer tokens at 2 USD per million.
    // Which questions are answered before the budget ends depends on the order of the answers, and the
    // lengths of the questions differ by a byte. So the costs of the two runs may differ slightly.
    assert!((spent[0] - spent[1]).abs() < 5e-6 && spent[0] > 0.0001 && spent[0] <= 0.0004, "{spent:?}");
}

#[test]
fn impossible_counts_are_flagged_and_do_not_block_the_folder() {
    let server = Server::start(|posted| {
        let mut body = chat(posted.word(), "stop");
        if posted.word() == "w0" {
            body["usage"]["completion_tokens"] = json!(5_000_000_000_u64);
        }
        Reply::new(200, body.to_string())
    });
    let case = case(&server, 10, PRICES);
    let arguments = ["--budget-usd", "0.01", "--prices", "prices.toml", "--max-tokens", "64"];
    let ran = case.ends(0, &arguments);
    assert_eq!(ran.stderr.matches("counts far more tokens").count(), 1, "{}", ran.stderr);
    let summary = summary(&case);
    assert_eq!((&summary["n_implausible_usage"], &summary["tokens"]["completion"]), (&json!(1), &json!(9)));
    assert!(summary["spent_usd"].as_f64().is_some_and(|usd| usd < 0.001), "{summary}");
}

#[test]
fn cached_and_reasoning_tokens_and_tiers_have_their_own_prices() {
    let answer = |body: &mut Value| {
        body["service_tier"] = json!("priority");
        body["usage"] = json!({"prompt_tokens": 1000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 900},
            "completion_tokens_details": {"reasoning_tokens": 80}});
    };
    let server = server(answer);
    let arguments = ["--budget-usd", "1", "--prices", "prices.toml"];
    let cost = |prices: &str| {
        let case = case(&server, 1, prices);
        let ran = case.ends(0, &arguments);
        let summary = summary(&case);
        assert_eq!(summary["tokens"]["reasoning"], 80, "must be counted separately");
        (summary["spent_usd"].as_f64().expect("a cost"), ran.stderr)
    };
    // The probe and the question each have 1000 tokens at 1 USD and 100 tokens at 2 USD per million.
    let (usd, stderr) = cost(PRICES);
    assert_eq!(usd, 0.0024);
    assert_eq!(stderr.matches("service tier priority").count(), 1, "{stderr}");
    let more = "cached_input_usd_per_million_tokens = 0.1\nreasoning_usd_per_million_tokens = 5\n";
    // The probe and the question each have 100 tokens at 1 USD, 900 at 0.1 USD, 20 at 2 USD and 80 at 5 USD
    // per million.
    assert_eq!(cost(&format!("{PRICES}{more}")).0, 0.00126);
    let tier = "[models.m.tiers.priority]\ninput_usd_per_million_tokens = \
                2\noutput_usd_per_million_tokens = 4\n";
    let (usd, stderr) = cost(&format!("{PRICES}{tier}"));
    assert_eq!(usd, 0.0048);
    assert!(!stderr.contains("service tier"), "{stderr}");
}

#[test]
fn a_cost_that_the_provider_states_is_compared() {
    for (cost, is_said) in [(json!(0.5), true), (json!({"total_cost": 0.5}), true), (json!(0.000_007), false)]
    {
        let server = server(move |body| body["usage"]["cost"] = cost.clone());
        let case = case(&server, 5, PRICES);
        let ran = case.ends(0, &["--budget-usd", "1", "--prices", "prices.toml"]);
        assert_eq!(
            ran.stderr.matches("the server states a cost of").count(),
            usize::from(is_said),
            "{}",
            ran.stderr
        );
    }
}
