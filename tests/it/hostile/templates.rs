//! Chat templates that nest, loop or grow without end: `serve` refuses the chat, or the template, and
//! continues.

use std::path::Path;

use serde_json::{Value, json};

use super::bounded::run;
use crate::serve::server::{CHAT, COMPLETIONS, Serving};

/// A copy of a bundled model with a chat template.
fn model(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/minigpt-1");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(from.join(file), folder.path().join(file)).expect("a file");
    }
    let settings = json!({ "chat_template": template }).to_string();
    std::fs::write(folder.path().join("tokenizer_config.json"), settings).expect("a file");
    folder
}

#[test]
fn a_chat_whose_template_does_not_end_is_refused_and_others_are_answered() {
    for template in [
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}",
        "{{ messages[0].content | indent(10000000000, true) }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    ] {
        let folder = model(template);
        let path = folder.path().to_str().expect("UTF-8");
        let server = Serving::start(&[path, "--timeout-s", "20"]);
        let models: Value =
            serde_json::from_slice(&server.raw("GET", "/v1/models", "", b"").1).expect("JSON");
        let id = &models["data"][0]["id"];
        let chat = json!({"model": id, "messages": [{"role": "user", "content": "red"}]});
        let chats: Vec<(u16, Value)> = std::thread::scope(|scope| {
            let ask = || server.ask(CHAT, &chat);
            let chats: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            assert_eq!(server.raw("GET", "/health", "", b"").0, 200);
            chats.into_iter().map(|chat| chat.join().expect("an answer")).collect()
        });
        for (status, answer) in chats {
            assert!(status == 400 && answer.to_string().contains("chat template"), "{status} {answer}");
        }
        let body = json!({"model": id, "prompt": "red,", "max_tokens": 1});
        assert_eq!(server.ask(COMPLETIONS, &body).0, 200);
    }
}

#[test]
fn a_template_that_nests_without_end_is_refused_at_the_start() {
    for template in [
        format!("{{{{ {}true }}}}", "not ".repeat(100_000)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(100_000)),
        format!("{}a{}", "{% if a %}".repeat(4000), "{% endif %}".repeat(4000)),
        format!("{{{{ a{} }}}}", "|trim".repeat(100_000)),
    ] {
        let folder = model(&template);
        let ended = run(folder.path(), &["serve", ".", "--port", "0"]).orderly(&template[..40]);
        assert!(ended.code == Some(1) && ended.stderr.contains("chat_template"), "{}", ended.stderr);
    }
}
