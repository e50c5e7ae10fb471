//! Checks that wordings of errors from public reports and documentation (OpenAI, Azure, Anthropic, Gemini,
//! vLLM, llama.cpp, Ollama, TGI, transformers serve, Mistral, Groq, xAI, DeepSeek, Moonshot, DashScope,
//! Zhipu, OpenRouter, litellm) get the meaning that `tests/golden/providers/wordings.jsonl` states.

use std::path::Path;

use serde_json::Value;
use surmise::provider::{self, FailureClass, Headers, Outcome};

/// The meaning of a response in one word: its outcome, the class of its failure, or what to do with a
/// parameter.
fn meaning(provider: &dyn provider::Provider, status: u16, body: &Value) -> String {
    match provider::read(provider, status, &Headers::default(), body.to_string().as_bytes()).outcome {
        Outcome::Failed(failure) => match failure.class {
            FailureClass::Unsupported { param, .. } => format!("omit {param}"),
            FailureClass::TooHigh { param } => format!("lower {param}"),
            class => class.name().into(),
        },
        outcome => outcome.kind().into(),
    }
}

/// Gateways pass on errors of other servers, so every wire format reads all of them.
#[test]
fn every_wording_has_its_expected_meaning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers/wordings.jsonl");
    let text = std::fs::read_to_string(path).expect("the wordings");
    let (mut wrong, mut read) = (vec![], 0);
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("a row");
        let (status, means) = (row["status"].as_u64().expect("a status"), row["means"].as_str());
        for provider in provider::ALL {
            let found = meaning(*provider, u16::try_from(status).expect("a status"), &row["body"]);
            if Some(found.as_str()) != means {
                wrong.push(format!("{}: {found} of {line}", provider.name()));
            }
        }
        read += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 70, "{read}");
}
