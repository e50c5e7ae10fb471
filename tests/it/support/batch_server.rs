//! Provides a local server with the batch APIs of three wire formats. The server counts the requests that it
//! receives, and fails as a [`Script`] specifies.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

pub use super::batch_script::Script;
use super::batch_wires::{candidate, message, word};
use super::fault_server::chat;

#[derive(Debug, Clone)]
pub struct Batch {
    pub id: String,
    pub name: String,
    /// Id of the uploaded file with the requests, if the wire format uses one.
    pub file: String,
    /// Ids of the requests, with the answers that the server gives.
    pub requests: Vec<(String, String)>,
    pub polls: u32,
    pub is_cancelled: bool,
    pub is_foreign: bool,
}

#[derive(Debug, Default)]
pub struct State {
    files: HashMap<String, Vec<(String, String)>>,
    pub batches: Vec<Batch>,
    /// How often each request was part of a batch.
    pub asked: BTreeMap<String, u32>,
    /// Methods and paths of all calls.
    pub calls: Vec<String>,
    /// Number of requests of each batch, in the order of creation.
    pub sizes: Vec<usize>,
    pub errors: BTreeMap<String, u32>,
    /// Fixed responses: method and path of the call, status and body of the response.
    pub fixed: Vec<(String, u16, Value)>,
    n_creations: usize,
    n_lists: usize,
    n_downloads: usize,
    n_uploads: usize,
}

pub struct BatchServer {
    pub url: String,
    pub state: Arc<Mutex<State>>,
    script: Script,
}

/// A response, and the part of it that is sent.
struct Answer {
    status: u16,
    body: Vec<u8>,
    /// Number of bytes of the body to send, if not all. The connection then ends early.
    sent: Option<usize>,
    /// Whether the header states the number of sent bytes as the length of the body, so that the client
    /// cannot detect the truncation.
    is_silent: bool,
}

impl Answer {
    fn of(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), sent: None, is_silent: false }
    }

    fn error(status: u16, text: &str) -> Self {
        Self::of(status, &json!({"error": {"message": text, "type": "e", "code": null}}))
    }
}

impl BatchServer {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                // Errors are ignored, because some tests kill the client.
                std::thread::spawn(move || serve(&stream, &state, script).unwrap_or_default());
            }
        });
        Self { url, state, script }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a state")
    }

    /// Number of requests that the server processed in batches, and billed.
    pub fn n_billed(&self) -> usize {
        let state = self.state();
        let ours = state.batches.iter().filter(|batch| !batch.is_foreign);
        ours.map(|batch| state.n_processed(batch, &self.script)).sum()
    }

    pub fn n_calls(&self) -> usize {
        self.state().calls.len()
    }

    /// Deletes all batches.
    pub fn forget(&self) {
        self.state().batches.clear();
    }

    /// Number of calls whose method and path contain a text.
    pub fn count(&self, part: &str) -> usize {
        self.state().calls.iter().filter(|call| call.contains(part)).count()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>, script: Script) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        std::thread::sleep(script.wait);
        let answer = {
            let mut state = state.lock().expect("a state");
            state.calls.push(format!("{method} {path}"));
            state.answer(method, path, &body, &script)
        };
        // For a lost creation, the connection ends without a response.
        let Some(answer) = answer else { return Ok(()) };
        let sent = answer.sent.unwrap_or(answer.body.len());
        let length = if answer.is_silent { sent } else { answer.body.len() };
        let mut to = stream;
        to.write_all(format!("HTTP/1.1 {} X\r\ncontent-length: {length}\r\n\r\n", answer.status).as_bytes())?;
        to.write_all(&answer.body[..sent])?;
        if sent < length {
            return Ok(());
        }
    }
}

impl State {
    fn answer(&mut self, method: &str, path: &str, body: &[u8], script: &Script) -> Option<Answer> {
        let (bare, _) = path.split_once('?').unwrap_or((path, ""));
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let word = |body: &Value| if script.is_wrong { "no idea".to_owned() } else { word(body) };
        let call = format!("{method} {bare}");
        if let Some((_, status, body)) = self.fixed.iter().find(|(fixed, ..)| *fixed == call) {
            return Some(Answer::of(*status, body));
        }
        let parts: Vec<&str> = bare.trim_start_matches('/').split('/').collect();
        Some(match (method, parts.as_slice()) {
            ("POST", ["chat", "completions"]) => Answer::of(200, &chat(&word(&json), "stop")),
            ("POST", ["v1", "messages"]) => Answer::of(200, &message(&word(&json))),
            ("POST", ["v1beta", "models", m]) if m.ends_with(":generateContent") => {
                Answer::of(200, &candidate(&word(&json)))
            }
            ("POST", ["files"]) => self.upload(body, script),
            ("POST", ["batches"]) => {
                let requests = self.files[json["input_file_id"].as_str()?].clone();
                let file = json["input_file_id"].as_str()?.to_owned();
                return self.create(
                    requests,
                    (json["metadata"]["surmise"].as_str()?, file),
                    "openai",
                    script,
                );
            }
            ("POST", ["v1", "messages", "batches"]) => {
                let list = json["requests"].as_array()?;
                let of = |r: &Value| (r["custom_id"].as_str().unwrap_or_default().into(), word(&r["params"]));
                return self.create(list.iter().map(of).collect(), ("", String::new()), "anthropic", script);
            }
            ("POST", ["v1beta", "models", m]) if m.ends_with(":batchGenerateContent") => {
                let batch = &json["batch"];
                let list = batch["inputConfig"]["requests"]["requests"].as_array()?;
                let of = |r: &Value| {
                    (r["metadata"]["key"].as_str().unwrap_or_default().into(), word(&r["request"]))
                };
                let requests = list.iter().map(of).collect();
                let name = batch["displayName"].as_str()?;
                return self.create(requests, (name, String::new()), "gemini", script);
            }
            ("GET", ["batches"]) => self.list("openai", script),
            ("GET", ["v1", "messages", "batches"]) => self.list("anthropic", script),
            ("GET", ["v1beta", "batches"]) => self.list("gemini", script),
            ("GET", ["batches", id]) => self.poll(id, "openai", script),
            ("GET", ["v1", "messages", "batches", id]) => self.poll(id, "anthropic", script),
            ("GET", ["v1beta", "batches", id]) => self.poll(id, "gemini", script),
            ("POST", ["batches", id, "cancel"]) => self.cancel(id, "openai", script),
            ("POST", ["v1", "messages", "batches", id, "cancel"]) => self.cancel(id, "anthropic", script),
            ("POST", ["v1beta", "batches", id]) => {
                self.cancel(id.trim_end_matches(":cancel"), "gemini", script)
            }
            ("GET", ["files", file, "content"]) => {
                let (id, kind) = file.split_once('.')?;
                let lines = self.results(id, "openai", script);
                let is_error = |line: &Value| line["response"].is_null();
                let lines = lines.into_iter().filter(|line| is_error(line) == (kind == "errors"));
                let most = script.cut_lines.filter(|_| *file == "b0.results").unwrap_or(usize::MAX);
                let lines = lines.take(most);
                if script.has_no_results {
                    return Some(Answer::error(404, "no such file"));
                }
                self.download(&lines.collect::<Vec<_>>(), script)
            }
            ("GET", ["v1", "messages", "batches", id, "results"]) => {
                let lines = self.results(id, "anthropic", script);
                if script.has_no_results {
                    return Some(Answer::error(404, "no results"));
                }
                self.download(&lines, script)
            }
            _ => Answer::error(404, "no such path"),
        })
    }

    fn upload(&mut self, body: &[u8], script: &Script) -> Answer {
        let text = String::from_utf8_lossy(body);
        let lines = text.lines().filter(|line| line.starts_with("{\"custom_id\""));
        let requests: Vec<(String, String)> = lines
            .map(|line| {
                let line: Value = serde_json::from_str(line).expect("a line of JSON");
                assert_eq!(line["url"], "/v1/chat/completions");
                let word = if script.is_wrong { "no idea".to_owned() } else { word(&line["body"]) };
                (line["custom_id"].as_str().expect("an id").into(), word)
            })
            .collect();
        if let Some((status, text)) = script.refused(requests.len()) {
            return Answer::error(status, text);
        }
        self.n_uploads += 1;
        if self.n_uploads <= script.lost_uploads {
            return Answer::error(500, "broken");
        }
        let id = format!("file-{}", self.files.len());
        self.files.insert(id.clone(), requests);
        Answer::of(200, &json!({"id": id, "object": "file", "purpose": "batch"}))
    }

    fn create(
        &mut self,
        requests: Vec<(String, String)>,
        (name, file): (&str, String),
        wire: &str,
        script: &Script,
    ) -> Option<Answer> {
        if let Some(refusal) = script.refused(requests.len()) {
            return Some(Answer::error(refusal.0, refusal.1));
        }
        if let Some((status, text)) = script.later_refusal.filter(|_| self.n_creations > 0) {
            return Some(Answer::error(status, text));
        }
        for (id, _) in &requests {
            assert_eq!(id.len(), 64, "an id of a request: {id}");
            *self.asked.entry(id.clone()).or_default() += 1;
        }
        let n = requests.len();
        self.sizes.push(n);
        let id = format!("b{}", self.batches.len());
        let (name, is_foreign) = (name.to_owned(), false);
        let batch = Batch { id: id.clone(), name, file, requests, polls: 0, is_cancelled: false, is_foreign };
        self.batches.push(batch);
        if script.has_foreign && self.batches.len() == 1 {
            let others = (0..n).map(|n| (format!("{n:064x}"), "x".to_owned()));
            self.batches.push(Batch {
                id: "theirs".into(),
                name: "theirs".into(),
                file: "file-theirs".into(),
                requests: others.collect(),
                polls: 99,
                is_cancelled: false,
                is_foreign: true,
            });
        }
        self.n_creations += 1;
        if self.n_creations <= script.lost_creations {
            if let Some(lost) = self.batches.iter_mut().find(|batch| batch.id == id && script.ends_lost) {
                lost.polls = 99;
            }
            return script.lost_status.map(|status| Answer::error(status, "upstream connect error"));
        }
        let batch = self.batches.iter().find(|batch| batch.id == id)?.clone();
        Some(Answer::of(200, &self.describe(&batch, wire, script)))
    }

    fn list(&mut self, wire: &str, script: &Script) -> Answer {
        self.n_lists += 1;
        if script.has_no_list {
            return Answer::error(404, "no list");
        }
        let is_empty = self.n_lists <= script.empty_lists;
        // The list begins with the newest batch.
        let shown = self.batches.iter().rev().filter(|_| !is_empty);
        let list: Vec<Value> = shown.map(|batch| self.describe(batch, wire, script)).collect();
        match wire {
            "gemini" => Answer::of(200, &json!({"operations": list})),
            _ => Answer::of(200, &json!({"object": "list", "data": list, "has_more": false})),
        }
    }

    fn poll(&mut self, id: &str, wire: &str, script: &Script) -> Answer {
        let Some(at) = self.batches.iter().position(|batch| batch.id == id) else {
            return Answer::error(404, "no such batch");
        };
        self.batches[at].polls += 1;
        let batch = self.batches[at].clone();
        let mut body = self.describe(&batch, wire, script);
        if wire == "gemini" && body["done"] == true {
            let mut results = self.results(id, wire, script);
            if script.has_no_ids {
                for result in &mut results {
                    result.as_object_mut().expect("an object").remove("metadata");
                }
            }
            body["response"] = json!({"inlinedResponses": {"inlinedResponses": results}});
            let answer = Answer::of(200, &body);
            return self.cut(answer, script);
        }
        Answer::of(200, &body)
    }

    fn cancel(&mut self, id: &str, wire: &str, script: &Script) -> Answer {
        let Some(at) = self.batches.iter().position(|batch| batch.id == id) else {
            return Answer::error(404, "no such batch");
        };
        let batch = self.batches[at].clone();
        let is_ended = batch.is_cancelled || (!script.is_endless && batch.polls > script.polls);
        if is_ended || script.refuses_cancel {
            return Answer::error(if wire == "openai" { 409 } else { 400 }, "it has ended");
        }
        self.batches[at].is_cancelled = true;
        let batch = self.batches[at].clone();
        Answer::of(200, &self.describe(&batch, wire, script))
    }

    fn download(&mut self, lines: &[Value], script: &Script) -> Answer {
        let body: String = lines.iter().map(|line| line.to_string() + "\n").collect();
        let answer = Answer { status: 200, body: body.into_bytes(), sent: None, is_silent: false };
        self.cut(answer, script)
    }

    fn cut(&mut self, answer: Answer, script: &Script) -> Answer {
        if answer.body.is_empty() {
            return answer;
        }
        self.n_downloads += 1;
        let is_silent = self.n_downloads > script.cuts;
        let is_cut = self.n_downloads <= script.cuts + script.silent_cuts;
        Answer { sent: is_cut.then_some(answer.body.len() / 2), is_silent, ..answer }
    }
}
