//! The requests of each wire format, and the meaning of each documented form of an answer. The golden bodies
//! come from the documentation of the providers; `tests/golden/providers/expected.csv` states their meaning.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use surmise::Error;
use surmise::provider::{
    self, Answer, FailureClass, FilterSide, GenerationParams, Headers, KeyHeader, MaxTokensKey, Message,
    Outcome, Prompt, Request, Role,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers")
}

/// An answer in the columns of expected.csv.
fn columns(answer: &Answer) -> BTreeMap<&'static str, String> {
    let mut row = BTreeMap::from([("outcome", answer.outcome.kind().to_owned())]);
    let mut put = |name, value: Option<String>| {
        row.insert(name, value.unwrap_or_default());
    };
    let usage = answer.usage;
    put("finish_reason", answer.finish_reason.clone());
    put("model_snapshot", answer.model_snapshot.clone());
    put("prompt_tokens", usage.and_then(|usage| Some(usage.prompt_tokens?.to_string())));
    put("completion_tokens", usage.and_then(|usage| Some(usage.completion_tokens?.to_string())));
    put("reasoning_tokens", usage.and_then(|usage| Some(usage.reasoning_tokens?.to_string())));
    put("cached_tokens", usage.and_then(|usage| Some(usage.cached_tokens?.to_string())));
    let (mut text, mut class, mut at, mut why, mut code, mut param) = (None, None, None, None, None, None);
    match &answer.outcome {
        Outcome::Answered { text: said }
        | Outcome::Refused { text: said }
        | Outcome::Truncated { text: said } => {
            text = Some(said.clone());
        }
        Outcome::Filtered { at: side, category, text: said } => {
            (text, why) = (said.clone(), category.clone());
            at = Some(if *side == FilterSide::Prompt { "prompt" } else { "answer" }.to_owned());
        }
        Outcome::Failed(failure) => {
            class = Some(failure.class.name().to_owned());
            (code, param) = (failure.code.clone(), failure.param.clone());
            if let FailureClass::Unsupported { param: named, .. } = &failure.class {
                param = Some(named.clone());
            }
            assert!(!failure.message.is_empty());
        }
        Outcome::Empty | Outcome::Unreadable { .. } => {}
    }
    for (name, value) in
        [("text", text), ("class", class), ("where", at), ("category", why), ("code", code), ("param", param)]
    {
        put(name, value);
    }
    row
}

#[test]
fn every_golden_body_has_its_expected_meaning() {
    let mut reader = csv::Reader::from_path(folder().join("expected.csv")).expect("expected.csv");
    let mut read = 0;
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row");
        let name = format!("{}/{}", row["provider"], row["body"]);
        let body = std::fs::read(folder().join(&name)).expect("a golden body");
        let provider = provider::find(&row["provider"]).expect("a provider");
        let status = row["status"].parse().expect("a status");
        let found = columns(&provider::read(provider, status, &Headers::default(), &body));
        for (column, value) in &found {
            assert_eq!(value, &row[*column], "{name}, {column}");
        }
        read += 1;
    }
    // Every golden body is used.
    let bodies = provider::ALL
        .iter()
        .flat_map(|provider| std::fs::read_dir(folder().join(provider.name())).expect("a folder"));
    let bodies = bodies
        .filter(|entry| entry.as_ref().expect("an entry").path().extension().is_some_and(|e| e == "body"));
    assert_eq!(bodies.count(), read);
}

fn params() -> GenerationParams {
    GenerationParams {
        max_tokens: 16,
        temperature: Some(0.0),
        top_p: Some(1.0),
        stop: vec!["END".into()],
        seed: Some(1234),
        logprobs: Some(5),
        ..GenerationParams::default()
    }
}

fn chat() -> Prompt {
    let message = |role, content: &str| Message { role, content: content.into() };
    Prompt::Messages(vec![
        message(Role::System, "Reply with one word."),
        message(Role::User, "Capital of Peru?"),
        message(Role::Assistant, "Lima"),
        message(Role::User, "Capital of France? \u{1f642}\u{2028}\u{0}\r"),
    ])
}

fn text() -> Prompt {
    Prompt::Text("France ->".into())
}

/// The request to each wire format, with all parameters that it supports.
fn requests() -> Vec<(&'static str, &'static str, Request)> {
    let request = |model: &str, prompt, params| Request { model: model.into(), prompt, params };
    let plain = || GenerationParams { max_tokens: 16, ..GenerationParams::default() };
    let few = || GenerationParams { seed: None, logprobs: None, ..params() };
    vec![
        ("openai-chat", "text", request("gpt-4.1-mini", text(), plain())),
        ("openai-chat", "chat", request("gpt-4.1-mini", chat(), params())),
        (
            "openai-chat",
            "reasoning",
            request(
                "o3",
                text(),
                GenerationParams {
                    max_tokens: 512,
                    ..provider::find("openai-chat").expect("a provider").defaults("o3")
                },
            ),
        ),
        (
            "openai-responses",
            "chat",
            request("gpt-5", chat(), GenerationParams { stop: vec![], seed: None, ..params() }),
        ),
        (
            "openai-responses",
            "reasoning",
            request("o3", text(), provider::find("openai-responses").expect("a provider").defaults("o3")),
        ),
        ("ollama", "text", request("llama3.2", text(), params())),
        ("openai-completions", "text", request("m", text(), params())),
        (
            "openai-completions",
            "echo",
            request(
                "m",
                text(),
                GenerationParams { max_tokens: 1, logprobs: Some(1), echo: true, ..plain() },
            ),
        ),
        ("anthropic", "text", request("claude-x", text(), plain())),
        ("anthropic", "chat", request("claude-x", chat(), few())),
        ("gemini", "text", request("gemini-2.5-pro", text(), plain())),
        ("gemini", "chat", request("gemini-2.5-pro", chat(), params())),
    ]
}

#[test]
fn every_request_is_rendered_to_its_golden_bytes() {
    for (name, case, request) in requests() {
        let provider = provider::find(name).expect("a provider");
        let wire = provider.render(&request).expect(case);
        let golden = folder().join(name).join(format!("request-{case}.json"));
        let expected = std::fs::read(&golden).unwrap_or_else(|_| panic!("{} is missing", golden.display()));
        let (expected, body) =
            (String::from_utf8_lossy(&expected).trim_end().to_owned(), String::from_utf8_lossy(&wire.body));
        assert_eq!(body, expected, "{name}, {case}");
        assert_eq!(provider.render(&request).expect(case), wire);
    }
}

#[test]
fn requests_go_to_the_path_of_each_provider() {
    let path = |name: &str, model: &str| {
        let request = Request { model: model.into(), prompt: text(), params: GenerationParams::default() };
        let wire = provider::find(name).expect("a provider").render(&request).expect(name);
        (wire.path, wire.headers)
    };
    assert_eq!(path("openai-chat", "m"), ("/chat/completions".into(), vec![]));
    assert_eq!(path("openai-completions", "m"), ("/completions".into(), vec![]));
    assert_eq!(
        path("anthropic", "m"),
        ("/v1/messages".into(), vec![("anthropic-version", "2023-06-01".into())])
    );
    assert_eq!(path("gemini", "gemini-2.5-pro").0, "/v1beta/models/gemini-2.5-pro:generateContent");
    assert_eq!(path("gemini", "tunedModels/mine").0, "/v1beta/tunedModels/mine:generateContent");
    // The name of a model can neither change the query of the URL, which may contain a key, nor lead to
    // another path.
    assert_eq!(path("gemini", "x?key=1#\u{e9}").0, "/v1beta/models/x%3Fkey%3D1%23%C3%A9:generateContent");
    assert_eq!(path("openai-responses", "m"), ("/responses".into(), vec![]));
    assert_eq!(path("ollama", "m"), ("/api/chat".into(), vec![]));
    for (name, variable, header) in [
        ("openai-chat", "OPENAI_API_KEY", KeyHeader::Bearer),
        ("openai-responses", "OPENAI_API_KEY", KeyHeader::Bearer),
        ("openai-completions", "OPENAI_API_KEY", KeyHeader::Bearer),
        ("anthropic", "ANTHROPIC_API_KEY", KeyHeader::Named("x-api-key")),
        ("gemini", "GEMINI_API_KEY", KeyHeader::Named("x-goog-api-key")),
        ("ollama", "OLLAMA_API_KEY", KeyHeader::Bearer),
    ] {
        let provider = provider::find(name).expect("a provider");
        assert_eq!((provider.key_variable(), provider.key_header()), (variable, header), "{name}");
    }
    let headers: Vec<_> = provider::key_headers().into_iter().map(KeyHeader::name).collect();
    assert_eq!(headers, ["bearer", "api-key", "x-api-key", "x-goog-api-key"]);
}

#[test]
fn unsupported_parameters_of_a_wire_format_are_refused_and_not_dropped() {
    let refused = |name: &str, prompt: Prompt, change: &dyn Fn(&mut GenerationParams)| {
        let mut params = GenerationParams::default();
        change(&mut params);
        let request = Request { model: "m".into(), prompt, params };
        match provider::find(name).expect("a provider").render(&request) {
            Err(Error::Parameter { name, reason }) => format!("{name} {reason}"),
            other => panic!("{name}: {other:?}"),
        }
    };
    let says = |message: String, word: &str| assert!(message.contains(word), "{message}");
    for provider in ["openai-chat", "anthropic", "gemini"] {
        says(refused(provider, text(), &|s| s.echo = true), "openai-completions");
    }
    says(refused("anthropic", text(), &|s| s.seed = Some(1)), "--sampling-seed");
    says(refused("gemini", text(), &|s| s.seed = Some(1 << 31)), "--sampling-seed");
    says(refused("anthropic", text(), &|s| s.logprobs = Some(1)), "--logprobs");
    says(refused("openai-chat", text(), &|s| s.logprobs = Some(21)), "--logprobs");
    says(refused("anthropic", text(), &|s| s.stop = vec!["\n".into()]), "white space");
    says(refused("openai-chat", text(), &|s| s.stop = vec!["a".into(); 5]), "--stop");
    says(refused("gemini", text(), &|s| s.stop = vec![String::new()]), "--stop");
    says(refused("anthropic", text(), &|s| s.temperature = Some(1.5)), "--temperature");
    says(refused("openai-chat", text(), &|s| s.temperature = Some(f64::NAN)), "--temperature");
    says(refused("openai-chat", text(), &|s| s.top_p = Some(0.0)), "--top-p");
    says(refused("openai-chat", text(), &|s| s.max_tokens = 0), "--max-tokens");
    says(refused("openai-completions", chat(), &|_| ()), "messages");
    says(refused("openai-responses", text(), &|s| s.stop = vec!["x".into()]), "--stop");
    says(refused("openai-responses", text(), &|s| s.max_tokens = 15), "--max-tokens");
    let said = |roles: &[Role]| {
        Prompt::Messages(roles.iter().map(|role| Message { role: *role, content: "x".into() }).collect())
    };
    for roles in [&[Role::Assistant, Role::User][..], &[Role::User, Role::User], &[Role::System], &[]] {
        says(refused("anthropic", said(roles), &|_| ()), "messages");
        says(refused("gemini", said(roles), &|_| ()), "messages");
    }
}

#[test]
fn a_chat_has_room_for_reasoning_before_the_answer() {
    for provider in provider::ALL {
        let tokens = provider.defaults("some-model").max_tokens;
        assert_eq!(tokens, if provider.capabilities().chats { 2048 } else { 32 }, "{}", provider.name());
    }
    let lower =
        |params: GenerationParams, name: &str| params.lowered(name).map(|p| (p.max_tokens, p.logprobs));
    assert_eq!(lower(params(), "max_tokens"), None, "no wire format accepts fewer than 16");
    assert_eq!(lower(params(), "logprobs"), Some((16, Some(2))));
    let many = GenerationParams { max_tokens: 2048, ..params() };
    assert_eq!(lower(many, "max_completion_tokens"), Some((1024, Some(5))));
    assert_eq!(lower(params(), "seed"), None);
}

#[test]
fn a_parameter_that_a_server_refuses_can_be_left_out_of_all_requests() {
    let params = params();
    assert_eq!(
        params.without("max_tokens").map(|s| s.max_tokens_key),
        Some(MaxTokensKey::MaxCompletionTokens)
    );
    assert_eq!(params.without("temperature").map(|s| s.temperature), Some(None));
    assert_eq!(params.without("stop").map(|s| s.stop), Some(vec![]));
    assert_eq!(params.without("seed").map(|s| s.seed), Some(None));
    assert_eq!(params.without("top_logprobs").map(|s| s.logprobs), Some(None));
    assert_eq!(params.without("model"), None);
    assert_eq!(params.without("seed").and_then(|s| s.without("seed")), None);
    // With `echo`, `logprobs` cannot be omitted, because the log-probabilities of the prompt are needed.
    assert_eq!(GenerationParams { echo: true, ..params }.without("logprobs"), None);
    let caps = provider::find("anthropic").expect("a provider").capabilities();
    assert_eq!(GenerationParams::sendable_stops(&[",".into(), "\n".into()], &caps), [","]);
}

#[test]
fn logprobs_are_read_in_every_form() {
    let read = |name: &str, file: &str| {
        let body = std::fs::read(folder().join(name).join(file)).expect("a golden body");
        provider::read(provider::find(name).expect("a provider"), 200, &Headers::default(), &body)
            .logprobs
            .expect("logprobs")
    };
    let chat = read("openai-chat", "200-answered.body");
    assert_eq!(
        (chat.len(), chat[0].logprob, chat[0].bytes.as_deref()),
        (1, Some(-0.0003), Some(&b"Paris"[..]))
    );
    assert_eq!(chat[0].top, [("Paris".to_owned(), -0.0003), (" Paris".to_owned(), -9.5)]);
    assert_eq!(read("openai-chat", "200-logprobs-without-top.body")[0].top, []);
    let gemini = read("gemini", "200-answered.body");
    assert_eq!((gemini[0].token.as_str(), gemini[0].logprob, gemini[0].top.len()), ("Paris", Some(-0.01), 2));
    let echo = read("openai-completions", "200-echo.body");
    let offsets: Vec<_> = echo.iter().map(|token| token.offset.expect("an offset")).collect();
    assert_eq!(offsets, [0, 3, 11, 14, 21, 24, 30]);
    assert_eq!((echo[0].logprob, echo[5].logprob), (None, Some(-0.59)));
}

#[test]
fn the_error_about_a_redirect_names_the_host_and_not_the_query() {
    for provider in provider::ALL {
        for status in [301, 302, 307, 308] {
            let to = "https://user:secret@evil.example:8443/v1?key=secret";
            let answer = provider::read(*provider, status, &Headers::new([("Location", to)]), b"secret");
            let Outcome::Failed(failure) = answer.outcome else { panic!("{:?}", answer.outcome) };
            assert_eq!(failure.class, FailureClass::Redirect { host: "evil.example:8443".into() });
            assert!(!failure.message.contains("secret"), "{}", failure.message);
        }
    }
}

/// `--skip slow::` leaves this test out.
mod slow {
    use super::*;

    /// Reads bytes that resemble an answer: a golden body in which bytes are changed, removed, duplicated, or
    /// replaced by bytes of another body.
    #[test]
    fn no_body_makes_a_reader_fail() {
        use rand::Rng;
        let mut rng = surmise::seed::stream("mutations", "providers", 1);
        for provider in provider::ALL {
            let entries = std::fs::read_dir(folder().join(provider.name())).expect("a folder");
            let mut bodies: Vec<Vec<u8>> =
                entries.map(|e| std::fs::read(e.expect("an entry").path()).expect("a body")).collect();
            bodies.sort();
            for round in 0..4000 {
                let mut body = bodies[rng.random_range(0..bodies.len())].clone();
                for _ in 0..rng.random_range(1..6) {
                    let (a, b) = (rng.random_range(0..=body.len()), rng.random_range(0..=body.len()));
                    let (from, to) = (a.min(b), a.max(b));
                    match rng.random_range(0..5) {
                        0 => body.truncate(from),
                        1 => drop(body.drain(from..to.min(from + 20))),
                        2 => body.iter_mut().skip(from).take(1).for_each(|byte| *byte = rng.random()),
                        3 => {
                            let piece = body[from..to].to_vec();
                            body.splice(from..from, piece);
                        }
                        _ => {
                            let other = &bodies[rng.random_range(0..bodies.len())];
                            let cut = rng.random_range(0..=other.len());
                            body.splice(from.., other[cut..].iter().copied());
                        }
                    }
                }
                let status = [200, 200, 400, 429, 500, 302][round % 6];
                let answer = provider::read(*provider, status, &Headers::default(), &body);
                // The strings read from a body are never longer than the body, including replacement
                // characters (three bytes for one).
                if let Outcome::Answered { text } | Outcome::Truncated { text } = &answer.outcome {
                    assert!(text.len() <= 3 * body.len());
                }
                if let Outcome::Failed(failure) = &answer.outcome {
                    assert!(failure.message.len() < 2000 && !failure.message.contains(char::is_control));
                }
            }
        }
    }
}
