//! Tests the server of the real binary over loopback: its answers, its error responses, and whether it keeps
//! running.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use candle_core::Tensor;
use serde_json::{Value, json};
use surmise::model::Model;
use surmise::model::batch::Batch;

/// A server of some models that ends with the test.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.args(["serve", "--port", "0"]).args(arguments);
        Self::of(command)
    }

    /// Runs a command that starts a server.
    pub(crate) fn of(mut command: Command) -> Self {
        command.env("SURMISE_TEST_KEY", KEY);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("http://").and_then(|url| url.strip_suffix("/v1"));
        Self { child, address: address.expect("a base URL on stdout").to_owned() }
    }

    /// Sends a request. Returns the status and the body of the response.
    pub(crate) fn raw(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
             {headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("a request");
        let mut answer = vec![];
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let body = &answer[end + 4..];
        if !head.contains("transfer-encoding: chunked") {
            return (status, body.to_vec());
        }
        let (mut whole, mut rest) = (vec![], body);
        while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
            let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..line]), 16).expect("a size");
            whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 4 + size..];
        }
        (status, whole)
    }

    pub(crate) fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.raw("POST", path, "", body.to_string().as_bytes());
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    pub(crate) fn done(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(path, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("the server ends");
    }
}

pub(crate) const KEY: &str = "sk-the-key-of-the-test";
pub(crate) const COMPLETIONS: &str = "/v1/completions";
pub(crate) const CHAT: &str = "/v1/chat/completions";

#[test]
fn echoed_log_probabilities_are_the_models_own() {
    let server = Serving::start(&["minillama-3"]);
    let prompt = "france -> paris, egypt -> cairo, peru -> lima,";
    let body =
        json!({"model": "minillama-3", "prompt": prompt, "echo": true, "max_tokens": 0, "logprobs": 2});
    let answer = server.done(COMPLETIONS, &body);
    let choice = &answer["choices"][0];
    assert_eq!((&choice["text"], &choice["finish_reason"]), (&json!(prompt), &json!("length")));
    let told = &choice["logprobs"];
    let tokens: Vec<&str> =
        told["tokens"].as_array().expect("tokens").iter().filter_map(Value::as_str).collect();
    assert_eq!(tokens.concat(), prompt);
    for (token, offset) in tokens.iter().zip(told["text_offset"].as_array().expect("offsets")) {
        let offset = offset.as_u64().expect("an offset") as usize;
        assert!(prompt[offset..].starts_with(token));
    }
    let model = Model::load("minillama-3").expect("a model");
    let (ids, _) = model.tokenizer.encode_any(prompt, true).expect("tokens");
    assert_eq!(answer["usage"]["prompt_tokens"], ids.len());
    let h = model
        .decoder
        .forward(&Batch::windows(std::slice::from_ref(&ids)), &mut |_, _| Ok(()))
        .expect("states");
    let h = h.to_vec2::<f32>().expect("f32");
    let h = ndarray::Array2::from_shape_vec((h.len(), h[0].len()), h.concat()).expect("a shape");
    let follow = ids[1..].iter().copied().chain([0]);
    let own = model.decoder.next_tokens(h.view(), follow).expect("log-probabilities");
    let theirs = told["token_logprobs"].as_array().expect("log-probabilities");
    assert_eq!((theirs.len(), &theirs[0]), (ids.len(), &Value::Null));
    for (theirs, (own, _)) in theirs[1..].iter().zip(&own) {
        assert!((theirs.as_f64().expect("a number") - own).abs() < 1e-4, "{theirs} {own}");
    }
    // The same tokens, given as ids, have the same log-probabilities.
    let body = json!({"model": "minillama-3", "prompt": ids, "echo": true, "max_tokens": 0, "logprobs": 0});
    assert_eq!(
        server.done(COMPLETIONS, &body)["choices"][0]["logprobs"]["token_logprobs"],
        told["token_logprobs"]
    );
}

#[test]
fn greedy_answers_are_those_of_full_forward_passes_and_streams_are_equal() {
    let server = Serving::start(&["minigpt-4", "minillama-3"]);
    let model = Model::load("minigpt-4").expect("a model");
    let prompt = "france -> paris, egypt -> cairo, peru ->";
    let (mut ids, _) = model.tokenizer.encode_any(prompt, true).expect("tokens");
    let start = ids.len();
    for _ in 0..12 {
        let h = model
            .decoder
            .forward(&Batch::windows(std::slice::from_ref(&ids)), &mut |_, _| Ok(()))
            .expect("states");
        let logits = model.decoder.logits(&h.narrow(0, ids.len() - 1, 1).expect("a row")).expect("logits");
        let next = logits.argmax(1).and_then(|id: Tensor| id.to_vec1::<u32>()).expect("a token")[0];
        if model.ends.contains(&next) {
            break;
        }
        ids.push(next);
    }
    let n = ids.len() - start;
    assert!(n > 1);
    let expected = model.tokenizer.decode(&ids)[model.tokenizer.decode(&ids[..start]).len()..].to_owned();
    let mut body = json!({"model": "minigpt-4", "prompt": prompt, "max_tokens": 12, "temperature": 0});
    let answer = server.done(COMPLETIONS, &body);
    assert_eq!(answer["choices"][0]["text"], expected);
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": start, "completion_tokens": n, "total_tokens": start + n})
    );
    // Generation ends at a stop string, which is not part of the answer.
    body["stop"] = json!([" ,", "."]);
    let stopped = server.done(COMPLETIONS, &body);
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    let text = stopped["choices"][0]["text"].as_str().expect("text");
    assert!(expected.starts_with(text) && !text.contains(','));
    // Without a template, a chat is the contents of its messages.
    body.as_object_mut().expect("an object").remove("stop");
    let chat = json!({
        "model": "minigpt-4", "messages": [{"role": "user", "content": prompt}], "max_tokens": 12,
        "temperature": 0, "logprobs": true, "top_logprobs": 3});
    let answer = server.done(CHAT, &chat);
    assert_eq!(answer["choices"][0]["message"]["content"], expected);
    let told = answer["choices"][0]["logprobs"]["content"].as_array().expect("log-probabilities").clone();
    assert_eq!(told.len(), n);
    for token in &told {
        // With greedy decoding, the token is the first in the list of most likely tokens.
        assert_eq!(
            (&token["top_logprobs"][0]["token"], token["top_logprobs"].as_array().map(Vec::len)),
            (&token["token"], Some(3))
        );
    }
    for (path, body) in [(COMPLETIONS, &mut body), (CHAT, &mut chat.clone())] {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let (status, bytes) = server.raw("POST", path, "", body.to_string().as_bytes());
        let text = String::from_utf8(bytes).expect("UTF-8");
        let mut events: Vec<&str> =
            text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
        assert_eq!((status, events.pop()), (200, Some("[DONE]")));
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        let part = |event: &Value| {
            let choice = &event["choices"][0];
            choice["text"].as_str().or(choice["delta"]["content"].as_str()).unwrap_or_default().to_owned()
        };
        assert_eq!(events.iter().map(part).collect::<String>(), expected);
        assert!(events.len() > n);
        assert_eq!(events.last().expect("usage")["usage"]["completion_tokens"], n);
    }
}

#[test]
fn parallel_requests_get_the_answers_of_single_requests_and_a_seed_repeats() {
    let server = Serving::start(&["minillama-4", "--max-concurrent", "5"]);
    let prompts = [
        "france -> paris, egypt ->",
        "red, blue, green,",
        "one, two,",
        "the capital of peru is",
        "cat, dog,",
    ];
    let body = |prompt: &str, n: u64| {
        json!({
            "model": "minillama-4", "prompt": prompt, "max_tokens": 20, "temperature": 0.8, "top_p": 0.9,
            "seed": 7, "n": n
        })
    };
    let texts = |answer: &Value| -> Vec<String> {
        let choices = answer["choices"].as_array().expect("choices").iter();
        choices.map(|choice| choice["text"].as_str().expect("text").to_owned()).collect()
    };
    let alone: Vec<_> =
        prompts.iter().map(|prompt| texts(&server.done(COMPLETIONS, &body(prompt, 2)))).collect();
    assert!(alone.iter().any(|texts| texts[0] != texts[1]));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            for (prompt, alone) in prompts.iter().zip(&alone) {
                let server = &server;
                scope.spawn(move || assert_eq!(&texts(&server.done(COMPLETIONS, &body(prompt, 2))), alone));
            }
        }
    });
    // A request with several prompts returns the answers in the order of the prompts.
    let whole = texts(&server.done(
        COMPLETIONS,
        &json!({"model": "minillama-4", "prompt": prompts, "max_tokens": 20,
        "temperature": 0.8, "top_p": 0.9, "seed": 7, "n": 2}),
    ));
    assert_eq!(whole, alone.concat());
}

#[test]
fn invalid_requests_are_refused_and_the_server_keeps_running() {
    let server = Serving::start(&["minigpt-1"]);
    let base = json!({"model": "minigpt-1", "prompt": "red, blue,"});
    let long = vec!["red"; 300].join(" ");
    let cases = [
        ("model", json!("gpt-5"), 404, "model_not_found"),
        ("model", Value::Null, 400, "`model` is missing"),
        ("prompt", json!(long), 400, "context_length_exceeded"),
        ("prompt", json!([1, 2, 4_000_000]), 400, "out of range"),
        ("prompt", json!([[1], ["red"]]), 400, "`prompt` must be"),
        ("prompt", json!([]), 400, "must contain 1 to"),
        ("prompt", json!(""), 400, "no token"),
        ("n", json!(1000), 400, "`n` must be"),
        ("logprobs", json!(21), 400, "`logprobs` must be"),
        ("temperature", json!(-1), 400, "`temperature` must be"),
        ("temperature", json!("hot"), 400, "`temperature` must be"),
        ("max_tokens", json!(-5), 400, "`max_tokens` must be"),
        ("max_tokens", json!(100_000), 400, "context_length_exceeded"),
        ("stop", json!([""]), 400, "`stop` must be"),
        ("logit_bias", json!({"1": 5}), 400, "unsupported_parameter"),
        ("presence_penalty", json!(0.5), 400, "unsupported_parameter"),
        ("suffix", json!("."), 400, "unsupported_parameter"),
    ];
    for (key, value, status, says) in cases {
        let mut body = base.clone();
        body[key] = value;
        let (seen, answer) = server.ask(COMPLETIONS, &body);
        assert!(seen == status && answer["error"].to_string().contains(says), "{key}: {seen} {answer}");
    }
    let post = |body: &[u8]| server.raw("POST", COMPLETIONS, "", body);
    assert_eq!(post(b"{\"model\": ").0, 400);
    assert_eq!(post(b"[1]").0, 400);
    assert_eq!(post(&[0xff; 100]).0, 400);
    assert_eq!(post(&vec![b' '; 10 << 20]).0, 413);
    assert_eq!(server.raw("GET", COMPLETIONS, "", b"").0, 405);
    assert_eq!(server.raw("GET", "/v2/nothing", "", b"").0, 404);
    // One client disconnects in the middle of its stream, and another disconnects before its body is
    // complete.
    for body in [
        json!({"model": "minigpt-1", "prompt": "red,", "stream": true, "max_tokens": 50}).to_string(),
        "{".into(),
    ] {
        let mut stream = TcpStream::connect(&server.address).expect("a connection");
        let head = format!(
            "POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len() + usize::from(body == "{")
        );
        stream.write_all((head + &body).as_bytes()).expect("a request");
    }
    assert_eq!(server.raw("GET", "/health", "", b"").0, 200);
    assert_eq!(server.done(COMPLETIONS, &base)["object"], "text_completion");
}

#[test]
fn a_temperature_near_zero_is_greedy_equal_prompts_sample_independently_and_oversized_requests_are_refused() {
    let server = Serving::start(&["minillama-2", "--max-waiting", "32"]);
    let body = json!({"model": "minillama-2", "prompt": "peru ->", "max_tokens": 12, "temperature": 0});
    let text = |body: &Value| server.done(COMPLETIONS, body)["choices"][0]["text"].clone();
    let greedy = text(&body);
    for (key, value) in [("temperature", 1e-38), ("top_p", 1e-300)] {
        let mut tiny = body.clone();
        tiny["temperature"] = json!(1);
        tiny[key] = json!(value);
        assert_eq!(text(&tiny), greedy, "{key}");
    }
    let many = |n: usize| {
        let prompts = vec!["the"; n];
        json!({"model": "minillama-2", "prompt": prompts, "max_tokens": 12, "temperature": 2})
    };
    let said = server.done(COMPLETIONS, &many(24));
    let texts: std::collections::BTreeSet<String> = said["choices"]
        .as_array()
        .expect("choices")
        .iter()
        .map(|choice| choice["text"].to_string())
        .collect();
    assert!(texts.len() > 12, "{texts:?}");
    let (status, answer) = server.ask(COMPLETIONS, &many(33));
    assert_eq!(status, 400, "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|message| message.contains("32")), "{answer}");
}

#[test]
fn every_client_needs_the_key_and_a_port_in_use_is_named() {
    let server = Serving::start(&["minigpt-1", "--key-variable", "SURMISE_TEST_KEY"]);
    let body = json!({"model": "minigpt-1", "prompt": "red,"}).to_string();
    let post = |headers: &str| server.raw("POST", COMPLETIONS, headers, body.as_bytes());
    let (status, refused) = post("");
    assert_eq!(status, 401);
    assert!(!String::from_utf8_lossy(&refused).contains(KEY));
    assert_eq!(post("Authorization: Bearer sk-the-key-of-the-tesu\r\n").0, 401);
    assert_eq!(server.raw("GET", "/v1/models", "", b"").0, 401);
    assert_eq!(post(&format!("Authorization: Bearer {KEY}\r\n")).0, 200);
    let port = server.address.rsplit(':').next().expect("a port");
    let second =
        Command::new(env!("CARGO_BIN_EXE_surmise")).args(["serve", "minigpt-1", "--port", port]).output();
    let second = second.expect("the binary");
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{message}");
    assert!(message.contains(&server.address) && message.contains("--port"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_stopped_server_finishes_its_requests() {
    let mut server = Serving::start(&["minigpt-5"]);
    let body =
        json!({"model": "minigpt-5", "prompt": "red,", "max_tokens": 50, "temperature": 0, "stop": []})
            .to_string();
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let head =
        format!("POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).expect("a request");
    // An answer to another client shows that the server has already received the request.
    assert_eq!(server.raw("GET", "/health", "", b"").0, 200);
    std::thread::sleep(Duration::from_millis(50));
    let killed = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("finish_reason"), "{answer}");
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
}
