//! Shows the progress of `collect`, and handles signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use super::progress::Progress as Display;
use super::status;
use crate::collect::client::stop::Stop;
use crate::collect::progress::Progress;
use crate::disk;
use crate::error::{Error, Result};
use crate::machine;

/// How long an interrupted run waits for requests in flight.
const GRACE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(100);

/// The progress display of one run, which a thread updates.
pub(super) struct Watch {
    pub(super) progress: Arc<Progress>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(quiet: bool) -> Self {
        let display = Display::start(0, quiet);
        let bar = display.bar();
        let progress = Arc::new(Progress::new(move |line| {
            if !quiet {
                bar.suspend(|| status(line));
            }
        }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (shown, over) = (progress.clone(), is_over.clone());
        // If no thread can be started, the run continues without a display.
        let shows = move || {
            while !over.load(Relaxed) {
                std::thread::sleep(TICK);
                let (done, total) = (shown.done.load(Relaxed), shown.total.load(Relaxed));
                display.set_length(total);
                display.set_position(done);
                display.set_message(format!("{done} of {total}, {}", shown.line()));
            }
            display.finish();
        };
        let thread = std::thread::Builder::new().spawn(shows).ok();
        Self { progress, is_over, thread }
    }

    pub(super) fn finish(self) {
        self.is_over.store(true, Relaxed);
        // The result is ignored, because the thread does not panic and returns no value.
        self.thread.map(JoinHandle::join).transpose().unwrap_or_default();
    }
}

/// Ends a run on a signal. After the first signal, no new request is sent, and the run waits up to [`GRACE`]
/// for requests in flight. After the second signal, the run stops waiting. Once all requests are done, the
/// run writes results; a signal then ends the process, because the results can be computed again from the
/// stored answers.
pub(super) fn interrupts(stop: Arc<Stop>) {
    // If no thread can be started, a signal ends the process at once.
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::new() else { return };
            hand_over(&signals);
            // The run drops its own reference once the requests are over.
            let is_over = |stop: &Arc<Stop>| Arc::strong_count(stop) == 1;
            signals.next().await;
            if is_over(&stop) {
                end_writing();
            }
            status("stopping: waiting for the requests in flight (interrupt again to abandon them)");
            let reason = "interrupted; answers are saved; rerun to continue".into();
            stop.drain(Error::Interrupted { reason });
            tokio::select! {
                () = signals.next() => if is_over(&stop) { end_writing() },
                () = tokio::time::sleep(GRACE) => {}
            }
            stop.abort();
            signals.next().await;
            end_writing();
        });
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop).unwrap_or_default();
}

/// Ends the process while results are being written.
fn end_writing() -> ! {
    status(
        "surmise: interrupted while writing results; the answers are saved, and the same command writes \
         the results",
    );
    disk::exit(130);
}

/// Whether another handler ends the process on a signal, because the run has billed requests in flight.
static IS_HANDED_OVER: AtomicBool = AtomicBool::new(false);

/// Hands signal handling over to the caller, which holds `_signals` and ends the process on a signal.
pub(super) fn hand_over(_signals: &Signals) {
    IS_HANDED_OVER.store(true, Relaxed);
}

/// Ends the process on the first signal and removes its temporary files, unless signal handling has been
/// handed over.
///
/// # Errors
/// [`Error::Threads`]
pub(super) fn ends_on_signals() -> Result<()> {
    let wait = || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::new() else { return };
            signals.next().await;
            if IS_HANDED_OVER.load(Relaxed) {
                return;
            }
            status("surmise: interrupted");
            disk::exit(130);
        });
    };
    let started = std::thread::Builder::new().name("signals".into()).spawn(wait);
    started.map(drop).map_err(|error| machine::no_thread(&error))
}

/// Receives Ctrl-C and, on Unix, the signals that ask a process to end. Signals that were already ignored
/// when the process started (`nohup`) remain ignored.
#[cfg(unix)]
pub(super) struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let is_awaited = |kind: SignalKind| ignored >> (kind.as_raw_value() - 1) & 1 == 0;
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Some(Self(kinds.map(|kind| is_awaited(kind).then(|| signal(kind).ok()).flatten())))
    }

    pub(super) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = received(interrupt) => {}
            () = received(terminate) => {}
            () = received(hangup) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that the process ignores, as bits; 0 if the system does not report them.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> Option<Self> {
        Some(Self)
    }

    pub(super) async fn next(&mut self) {
        tokio::signal::ctrl_c().await.unwrap_or_default();
    }
}
