//! Renders a template in other processes of this program, which are ended when they take too long or too much
//! memory.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::jinja::TemplateSource;
use super::message::ChatMessage;
use super::worker::{ARGUMENT, MEMORY};

/// Number of processes of a template that are kept for further messages.
const KEPT: usize = 4;
/// Maximum length of an answer in bytes: six times the longest prompt, as JSON may escape each byte.
const LONGEST: u64 = 128 << 20;
/// Variables that a process needs to find its libraries. It gets no other, and so no keys.
const VARIABLES: [&str; 4] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "SystemRoot"];

const ADVICE: &str = "correct the template, or remove it from the model to use none";

/// Why there is no prompt.
#[derive(Debug)]
pub(super) enum Failure {
    /// The template is refused, or refuses the messages.
    Template(String),
    /// No process can be started.
    Start(String),
    /// The process has ended before it answered.
    Ended(String),
}

impl Failure {
    /// The reason, and whether the template is at fault.
    pub fn reason(self) -> (String, bool) {
        match self {
            Self::Template(reason) => (reason, true),
            Self::Ended(reason) => (format!("{reason}; {ADVICE}"), true),
            Self::Start(reason) => (reason, false),
        }
    }
}

type Answer = Result<String, Failure>;

static IN_USE: AtomicBool = AtomicBool::new(false);

/// From now on, all chat templates of this process are rendered in workers. Only the surmise program may
/// call this, because a worker is the same program with [`ARGUMENT`]. It is a setting of the process, so that
/// no command can forget it.
pub(crate) fn use_workers() {
    IN_USE.store(true, Relaxed);
}

pub(super) fn are_in_use() -> bool {
    IN_USE.load(Relaxed)
}

/// The processes that render one template.
#[derive(Debug)]
pub(super) struct Workers {
    source: TemplateSource,
    idle: Mutex<Vec<Worker>>,
}

impl Workers {
    /// Parses a template in a first process. If no process can be started, the first messages start one.
    ///
    /// # Errors
    /// The reason why the template is refused.
    pub fn parse(source: TemplateSource, limit: Duration) -> Result<Self, String> {
        let workers = Self { source, idle: Mutex::default() };
        match workers.start(&TimeLimit::from_now(limit)) {
            Ok(worker) => workers.keep(worker),
            Err(Failure::Start(_)) => {}
            Err(Failure::Template(reason) | Failure::Ended(reason)) => return Err(reason),
        }
        Ok(workers)
    }

    /// Renders messages within a time limit.
    ///
    /// # Errors
    /// The reason why the template refuses the messages, or the limit that is exceeded.
    pub fn render(&self, messages: &[ChatMessage], limit: Duration) -> Answer {
        let limit = TimeLimit::from_now(limit);
        let messages = json!(messages).to_string();
        if let Some(worker) = self.take() {
            match self.ask(worker, messages.clone(), &limit) {
                // The system may have ended the process while it waited.
                Err(Failure::Ended(_)) if !limit.left().is_zero() => {}
                answer => return answer,
            }
        }
        self.ask(self.start(&limit)?, messages, &limit)
    }

    fn ask(&self, mut worker: Worker, messages: String, limit: &TimeLimit) -> Answer {
        let answer = worker.ask(messages, limit);
        // After a message of the template, the process goes on.
        if matches!(answer, Ok(_) | Err(Failure::Template(_))) {
            self.keep(worker);
        }
        answer
    }

    fn start(&self, limit: &TimeLimit) -> Result<Worker, Failure> {
        let mut worker = Worker::start().map_err(Failure::Start)?;
        worker.ask(json!(self.source).to_string(), limit)?;
        Ok(worker)
    }

    /// A process that waits for messages.
    fn take(&self) -> Option<Worker> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find_map(Worker::if_alive)
    }

    fn keep(&self, worker: Worker) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(worker);
        }
    }
}

struct TimeLimit {
    began: Instant,
    time: Duration,
}

impl TimeLimit {
    fn from_now(time: Duration) -> Self {
        Self { began: Instant::now(), time }
    }

    fn left(&self) -> Duration {
        self.time.saturating_sub(self.began.elapsed())
    }
}

/// A process, which ends when this is dropped.
#[derive(Debug)]
struct Worker {
    child: Child,
    lines: Sender<String>,
    answers: Receiver<io::Result<Result<String, String>>>,
}

impl Worker {
    fn start() -> Result<Self, String> {
        let (mut child, name) = spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (lines, received) = channel();
        let (send, answers) = channel();
        // Dropped on an error, which ends the process.
        let worker = Self { child, lines, answers };
        let (stdin, stdout) = pipes.ok_or_else(|| cannot_start(&name, &"it has no pipes"))?;
        let converse = move || converse(stdin, stdout, &received, &send);
        let started = std::thread::Builder::new().name("chat template".into()).spawn(converse);
        started.map_err(|error| cannot_start(&name, &error))?;
        Ok(worker)
    }

    fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    /// Sends a line and waits for the answer.
    fn ask(&mut self, line: String, limit: &TimeLimit) -> Answer {
        // If the thread has ended, there is no answer either.
        self.lines.send(line).unwrap_or_default();
        match self.answers.recv_timeout(limit.left()) {
            Ok(Ok(answer)) => answer.map_err(Failure::Template),
            Err(RecvTimeoutError::Timeout) => {
                Err(Failure::Ended(format!("it was stopped after {} s", limit.time.as_secs_f64())))
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                // Killing a process that has just ended does not change its status.
                let ended = self.child.kill().and_then(|()| self.child.wait());
                let ended = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(Failure::Ended(format!(
                    "its process ended ({ended}): it nests too deeply, or needs more than {} MiB of memory",
                    MEMORY >> 20
                )))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().and_then(|()| self.child.wait()).map(drop).unwrap_or_default();
    }
}

/// Starts a process, and returns the file of the program too.
fn spawn() -> Result<(Child, PathBuf), String> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| {
        format!(
            "chat templates are read in another process of this program, whose file cannot be found \
             ({error}); make /proc available"
        )
    })?;
    // On Linux, this path leads to the running program even after its file has been replaced.
    let running = PathBuf::from("/proc/self/exe");
    let mut command = Command::new(if running.exists() { &running } else { &own });
    command.arg(ARGUMENT).env_clear();
    command.envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        // An interrupt of the terminal is for this process, which may still need the answer.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = command.spawn().map_err(|error| cannot_start(&own, &error))?;
    Ok((child, own))
}

fn cannot_start(program: &std::path::Path, reason: &dyn std::fmt::Display) -> String {
    format!(
        "{} cannot start itself to read the template ({reason}); check that the file may be run, and the \
         system's limit of processes",
        program.display()
    )
}

/// Sends lines to a process and receives its answers, until one of both ends.
fn converse(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    lines: &Receiver<String>,
    answers: &Sender<io::Result<Result<String, String>>>,
) {
    let mut stdout = BufReader::new(stdout);
    let mut exchange = |line: String| {
        stdin.write_all((line + "\n").as_bytes())?;
        let mut answer = String::new();
        stdout.by_ref().take(LONGEST).read_line(&mut answer)?;
        serde_json::from_str(&answer).map_err(io::Error::from)
    };
    for line in lines {
        let answer = exchange(line);
        let is_over = answer.is_err();
        if answers.send(answer).is_err() || is_over {
            return;
        }
    }
}
