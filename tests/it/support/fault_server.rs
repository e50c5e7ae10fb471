//! Provides a local server with a chat API that can simulate every fault of a network and of a provider.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

/// A request as received.
#[derive(Debug, Clone)]
pub struct Posted {
    pub at: Instant,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
    /// The last message of the user.
    pub prompt: String,
    /// Number of earlier requests.
    pub before: usize,
    /// Number of earlier requests with the same prompt.
    pub same: usize,
}

impl Posted {
    pub fn is_probe(&self) -> bool {
        self.prompt.starts_with("Reply with the word")
    }

    /// The last word of the prompt, which is the right answer to the items in these tests.
    pub fn word(&self) -> &str {
        self.prompt.split_whitespace().last().unwrap_or_default()
    }
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    Whole,
    /// The connection ends after this number of bytes of the body.
    Cut(usize),
    /// Like `Cut`, but without a content length in the header.
    CloseDelimited(usize),
    /// Like `Cut`, but the connection is reset.
    Reset(usize),
    /// The connection is reset before anything is sent.
    ResetAtOnce,
    /// The answer is sent after this delay.
    Late(Duration),
    /// The server pauses before every byte of the body.
    Trickle(Duration),
    /// The server sends the body repeatedly, without end.
    Endless,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub how: How,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![], body: body.into(), how: How::Whole }
    }

    /// A complete answer.
    pub fn say(text: &str) -> Self {
        Self::new(200, chat(text, "stop").to_string())
    }

    pub fn error(status: u16, code: &str) -> Self {
        Self::new(
            status,
            json!({"error": {"message": format!("it says {code}"), "type": code, "param": null,
                "code": code}})
            .to_string(),
        )
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn how(self, how: How) -> Self {
        Self { how, ..self }
    }

    fn send(&self, stream: &TcpStream) -> std::io::Result<bool> {
        let mut to = stream;
        if let How::Late(wait) = self.how {
            std::thread::sleep(wait);
        }
        let reset = || socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        if self.how == How::ResetAtOnce {
            reset()?;
            return Ok(false);
        }
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        match self.how {
            How::CloseDelimited(_) => head += "connection: close\r\n",
            How::Endless => head += "transfer-encoding: chunked\r\n",
            _ => head += &format!("content-length: {}\r\n", self.body.len()),
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        to.write_all((head + "\r\n").as_bytes())?;
        match self.how {
            How::Whole | How::Late(_) => to.write_all(&self.body).map(|()| true),
            How::Cut(n) | How::CloseDelimited(n) => to.write_all(&self.body[..n]).map(|()| false),
            How::Reset(n) => {
                to.write_all(&self.body[..n])?;
                // The client needs time to read the beginning, because a reset discards unread bytes.
                std::thread::sleep(Duration::from_millis(100));
                reset().map(|()| false)
            }
            How::Trickle(wait) => self
                .body
                .iter()
                .try_for_each(|byte| {
                    std::thread::sleep(wait);
                    to.write_all(&[*byte])
                })
                .map(|()| true),
            How::Endless => loop {
                to.write_all(format!("{:x}\r\n", self.body.len()).as_bytes())?;
                to.write_all(&self.body)?;
                to.write_all(b"\r\n")?;
            },
            How::ResetAtOnce => Ok(false),
        }
    }
}

/// The body of a chat completion.
pub fn chat(text: &str, finish_reason: &str) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-2026-01-01",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
            "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}})
}

/// A server that records its requests.
pub struct Server {
    pub url: String,
    pub posts: Arc<Mutex<Vec<Posted>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", answer)
    }

    pub fn at(address: &str, answer: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let posts: Arc<Mutex<Vec<Posted>>> = Arc::default();
        let (log, answer) = (posts.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                // In some tests, the client disconnects, so errors are ignored.
                std::thread::spawn(move || serve(&stream, &log, &*answer).unwrap_or_default());
            }
        });
        Self { url, posts }
    }

    /// A server that answers every question correctly.
    pub fn right() -> Self {
        Self::start(|posted| Reply::say(posted.word()))
    }

    /// A server that sends `reply` for the item `w0`, and answers all other questions correctly.
    pub fn wrong_for_w0(reply: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(
            move |posted| if posted.word() == "w0" { reply(posted) } else { Reply::say(posted.word()) },
        )
    }

    pub fn posts(&self) -> Vec<Posted> {
        self.posts.lock().expect("a log").clone()
    }

    /// Number of requests, including probes.
    pub fn count_all(&self) -> usize {
        self.posts.lock().expect("a log").len()
    }

    /// Number of requests whose prompt ends with this word.
    pub fn count(&self, word: &str) -> usize {
        self.posts().iter().filter(|posted| posted.word() == word).count()
    }

    /// Number of requests that are not probes.
    pub fn questions(&self) -> usize {
        self.posts().iter().filter(|posted| !posted.is_probe()).count()
    }
}

fn serve(
    stream: &TcpStream,
    log: &Mutex<Vec<Posted>>,
    answer: &dyn Fn(&Posted) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let last = |list: &str| {
            body[list].as_array().and_then(|list| list.last()).map_or(Value::Null, |m| m["content"].clone())
        };
        let prompt = [
            &last("messages"),
            &last("input"),
            &last("input")[0]["text"],
            &body["contents"][0]["parts"][0]["text"],
            &body["prompt"],
            &body["input"],
        ];
        let prompt = prompt.iter().find_map(|text| text.as_str()).unwrap_or_default().to_owned();
        let posted = {
            let mut log = log.lock().expect("a log");
            let same = log.iter().filter(|other| other.prompt == prompt).count();
            let posted = Posted { at: Instant::now(), path, headers, body, prompt, before: log.len(), same };
            log.push(posted.clone());
            posted
        };
        if !answer(&posted).send(stream)? {
            return Ok(());
        }
    }
}
