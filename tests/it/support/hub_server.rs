//! Provides a local server with the routes of the hub, which can simulate failures.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use surmise::seed::sha256_hex;

pub const ID: &str = "tiny/gpt2";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const WEIGHTS: &str = "model.safetensors";

/// A request as received.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
}

/// An answer, and how its delivery fails.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection ends after this number of bytes of the body.
    pub cut: Option<usize>,
    /// The server waits for this time before it sends anything.
    pub silent: Duration,
    /// The server pauses for this time before every byte.
    pub trickle: Duration,
}

impl Reply {
    pub fn status(status: u16, code: &str) -> Self {
        Self { status, headers: vec![("X-Error-Code", code.to_owned())], ..Self::default() }
    }

    pub fn send(self, mut to: &TcpStream, head_only: bool) -> std::io::Result<()> {
        std::thread::sleep(self.silent);
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        if !self.headers.iter().any(|(name, _)| *name == "Content-Length") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        to.write_all((head + "\r\n").as_bytes())?;
        if head_only {
            return Ok(());
        }
        let body = &self.body[..self.cut.unwrap_or(self.body.len()).min(self.body.len())];
        if self.trickle.is_zero() {
            return to.write_all(body);
        }
        body.iter().try_for_each(|byte| {
            std::thread::sleep(self.trickle);
            to.write_all(&[*byte])
        })
    }
}

/// A local server that records its requests.
pub struct Server {
    pub url: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `answer` gets the request and the number of earlier requests with the same method and target.
    pub fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(vec![]));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                // In some tests, the client disconnects early, so errors are ignored.
                std::thread::spawn(move || Self::serve(&stream, &log, &*answer).unwrap_or_default());
            }
        });
        Self { url, asked }
    }

    pub fn serve(
        stream: &TcpStream,
        log: &Mutex<Vec<Asked>>,
        answer: &dyn Fn(&Asked, usize) -> Reply,
    ) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = BTreeMap::new();
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let request = Asked { method, target, headers };
        let before = {
            let mut log = log.lock().expect("a log");
            let before =
                log.iter().filter(|a| a.method == request.method && a.target == request.target).count();
            log.push(request.clone());
            before
        };
        answer(&request, before).send(stream, request.method == "HEAD")
    }

    /// The requests since the last call.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("a log"))
    }
}

/// A repository: a commit, and its files by name.
#[derive(Clone)]
pub struct Repository {
    pub commit: &'static str,
    pub files: BTreeMap<String, Vec<u8>>,
    /// The host of large files; `None` for the hub itself.
    pub storage: Option<String>,
}

impl Repository {
    pub fn golden() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2");
        let file = |name: &str| (name.to_owned(), std::fs::read(folder.join(name)).expect("a golden file"));
        let files = ["config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS].map(file);
        Self { commit: COMMIT, files: files.into(), storage: None }
    }

    pub fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.insert(name.to_owned(), bytes.to_vec());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.files.remove(name);
        self
    }

    /// The answers of a working hub.
    pub fn answer(&self, asked: &Asked) -> Reply {
        if asked.target.starts_with("/api/models/tiny/gpt2/revision/") {
            let siblings: Vec<_> = self.files.keys().map(|name| json!({"rfilename": name})).collect();
            let body =
                json!({"id": ID, "sha": self.commit, "siblings": siblings, "gated": false}).to_string();
            return Reply { status: 200, body: body.into(), ..Reply::default() };
        }
        let prefix = format!("/{ID}/resolve/{}/", self.commit);
        let Some((name, bytes)) =
            asked.target.strip_prefix(&prefix).and_then(|name| self.files.get_key_value(name))
        else {
            return Reply::status(404, "EntryNotFound");
        };
        let large = [".safetensors", ".bin", ".gguf"].iter().any(|end| name.ends_with(end));
        let mut headers =
            vec![("X-Repo-Commit", self.commit.to_owned()), ("Accept-Ranges", "bytes".to_owned())];
        // Small files are identified by a git hash with 40 digits.
        let tag = if large { sha256_hex(bytes) } else { sha256_hex(bytes)[..40].to_owned() };
        if large {
            headers.extend([
                ("X-Linked-Etag", format!("\"{tag}\"")),
                ("X-Linked-Size", bytes.len().to_string()),
            ]);
        } else {
            headers.push(("ETag", format!("W/\"{tag}\"")));
        }
        if let (true, Some(storage)) = (large, &self.storage) {
            headers.push(("Location", format!("{storage}/{name}?signature=abc")));
            return Reply { status: 302, headers, ..Reply::default() };
        }
        ranged(asked, bytes, headers)
    }
}

/// The requested bytes of a body.
pub fn ranged(asked: &Asked, bytes: &[u8], mut headers: Vec<(&'static str, String)>) -> Reply {
    let range = asked.headers.get("range").and_then(|r| r.strip_prefix("bytes=")?.split_once('-'));
    let Some((from, last)) = range else {
        return Reply { status: 200, headers, body: bytes.to_vec(), ..Reply::default() };
    };
    let from: usize = from.parse().expect("a position");
    let end = last.parse().map_or(bytes.len(), |last: usize| (last + 1).min(bytes.len()));
    headers.push(("Content-Range", format!("bytes {from}-{}/{}", end - 1, bytes.len())));
    Reply { status: 206, headers, body: bytes[from..end].to_vec(), ..Reply::default() }
}
