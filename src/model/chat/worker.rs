//! Runs in a process that renders a chat template for another process. Reads lines of JSON from stdin: first
//! the template, then lists of messages. Answers each line with a line of JSON on stdout.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use super::jinja::{Jinja, STACK};

/// The command-line argument that starts this program as such a process.
pub(crate) const ARGUMENT: &str = "render-chat-template";
/// Bytes of memory that a template may use.
pub(super) const MEMORY: u64 = 512 << 20;

/// The rendered text, or the reason why there is no text.
pub(super) type Answer = Result<String, String>;

/// Answers until stdin is closed, then ends the process.
pub(crate) fn work() -> ! {
    limit_memory();
    let (send, lines) = channel();
    let renders = move || answer(&lines);
    let started = std::thread::Builder::new().stack_size(STACK).spawn(renders);
    if started.is_ok() {
        // This thread only reads lines. When the parent ends, the process therefore ends too, even if a
        // template is still running.
        for line in io::stdin().lines() {
            let Ok(line) = line else { break };
            if send.send(line).is_err() {
                break;
            }
        }
    }
    std::process::exit(0)
}

/// Answers all lines. Returns when there are no more lines, or when an answer cannot be written.
fn answer(lines: &Receiver<String>) {
    let mut stdout = io::stdout().lock();
    let mut say = |answer: Answer| writeln!(stdout, "{}", json!(answer)).and_then(|()| stdout.flush());
    let broken = |error: serde_json::Error| error.to_string();
    let Ok(first) = lines.recv() else { return };
    let template = match serde_json::from_str(&first).map_err(broken).and_then(Jinja::parse) {
        Ok(template) => template,
        Err(reason) => return say(Err(reason)).unwrap_or_default(),
    };
    let mut said = say(Ok(String::new()));
    while said.is_ok()
        && let Ok(line) = lines.recv()
    {
        let messages = serde_json::from_str::<Vec<_>>(&line).map_err(broken);
        said = say(messages.and_then(|messages| template.render(&messages)));
    }
}

/// Limits the memory of this process and suppresses core files, where the system can do so.
#[cfg(unix)]
fn limit_memory() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let lower = |resource, most: u64| {
        let maximum = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        // If the system does not support this limit, the parent still ends this process after the time limit.
        setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) }).unwrap_or_default();
    };
    lower(Resource::Core, 0);
    if let Some(used) = used_memory() {
        lower(Resource::As, used + STACK as u64 + MEMORY);
    }
}

#[cfg(not(unix))]
fn limit_memory() {}

/// The size in bytes of the address space of this process.
#[cfg(unix)]
fn used_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    size.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
