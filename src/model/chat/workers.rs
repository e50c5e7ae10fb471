//! Renders a template in other processes of this program. A process is ended when it takes too much time or
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

/// Maximum number of idle processes of a template, which are kept for further messages.
const KEPT: usize = 4;
/// Maximum length of an answer in bytes. It exceeds six times the length of the longest prompt, because JSON
/// may write one byte as six.
const LONGEST: u64 = 128 << 20;
/// Environment variables that a process needs to find its libraries. It gets no other variables, such as API
/// keys.
const VARIABLES: [&str; 4] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "SystemRoot"];

const ADVICE: &str = "correct the template, or remove it from the model to use no template";

/// The reason why there is no prompt.
#[derive(Debug)]
pub(super) enum Failure {
    /// The template is invalid, or rejects the messages.
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

/// Makes this process render all further chat templates in workers. Only the surmise program may call this
/// function, because a worker is the same program, started with [`ARGUMENT`]. The setting is global, so that
/// every command uses workers.
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
    /// Parses a template in a first process. If no process can be started, the template is parsed when the
    /// first messages are rendered.
    ///
    /// # Errors
    /// The reason why the template cannot be used.
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
    /// The reason why the template rejects the messages, or the limit that is exceeded.
    pub fn render(&self, messages: &[ChatMessage], limit: Duration) -> Answer {
        let limit = TimeLimit::from_now(limit);
        let messages = json!(messages).to_string();
        if let Some(worker) = self.take() {
            match self.ask(worker, messages.clone(), &limit) {
                // The system may have ended the process while the process was idle. A new process is tried.
                Err(Failure::Ended(_)) if !limit.left().is_zero() => {}
                answer => return answer,
            }
        }
        self.ask(self.start(&limit)?, messages, &limit)
    }

    fn ask(&self, mut worker: Worker, messages: String, limit: &TimeLimit) -> Answer {
        let answer = worker.ask(messages, limit);
        // A process that reported an error of the template can render further messages.
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

    /// Takes an idle process that is still running.
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

/// A process that renders. Dropping this value ends the process.
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
        // On an error below, this value is dropped, which ends the process.
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
        // If the thread has ended, sending fails. Receiving then fails, too, and reports the error.
        self.lines.send(line).unwrap_or_default();
        match self.answers.recv_timeout(limit.left()) {
            Ok(Ok(answer)) => answer.map_err(Failure::Template),
            Err(RecvTimeoutError::Timeout) => {
                Err(Failure::Ended(format!("its process was stopped after {} s", limit.time.as_secs_f64())))
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                // Killing a process that has just ended does not change its status.
                let ended = self.child.kill().and_then(|()| self.child.wait());
                let ended = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(Failure::Ended(format!(
                    "its process ended ({ended}): the template nests too deeply or needs more than {} MiB of \
                     memory",
                    MEMORY >> 20
                )))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Errors are ignored, because the process may have ended already.
        self.child.kill().and_then(|()| self.child.wait()).map(drop).unwrap_or_default();
    }
}

/// Starts a process. Also returns the path of the program.
fn spawn() -> Result<(Child, PathBuf), String> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| {
        format!(
            "a separate process of this program renders chat templates, but the file of the program cannot \
             be found ({error}); make /proc available"
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
        // Ctrl-C in the terminal must not end the new process: this process may still need its answer.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = command.spawn().map_err(|error| cannot_start(&own, &error))?;
    Ok((child, own))
}

fn cannot_start(program: &std::path::Path, reason: &dyn std::fmt::Display) -> String {
    format!(
        "{} cannot start a process to render the template ({reason}); check that this file is executable, \
         and the system's limit on the number of processes",
        program.display()
    )
}

/// Sends lines to a process and passes on its answers. Returns when there are no more lines, when the process
/// fails, or when the receiver of the answers no longer exists.
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
