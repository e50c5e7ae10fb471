//! The display of a long run: a progress bar where stderr is a terminal, else a line every half minute; and
//! the handling of signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressStyle;

use super::{progress, status};
use crate::collect::client::stop::Stop;
use crate::collect::progress::Progress;
use crate::error::Error;

const LINE_EVERY: Duration = Duration::from_secs(30);
/// How long an interrupted run waits for requests in flight.
const GRACE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(100);

/// The display of one run.
pub(super) struct Watch {
    pub(super) progress: Arc<Progress>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub(super) fn start(quiet: bool) -> Self {
        // Of a fixed width, because the message beside it is long.
        let style = ProgressStyle::with_template("{elapsed_precise} [{bar:20}] {pos}/{len} {msg}");
        let bar = progress(0, quiet).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let status_bar = bar.clone();
        let progress = Arc::new(Progress::new(move |line| {
            if !quiet {
                status_bar.suspend(|| status(line));
            }
        }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (shown, over) = (progress.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            let mut last = Instant::now();
            while !over.load(Relaxed) {
                std::thread::sleep(TICK);
                let (done, total) = (shown.done.load(Relaxed), shown.total.load(Relaxed));
                if !bar.is_hidden() {
                    bar.set_length(total);
                    bar.set_position(done);
                    bar.set_message(shown.line());
                } else if !quiet && last.elapsed() >= LINE_EVERY {
                    last = Instant::now();
                    status(&format!("{done} of {total}, {}", shown.line()));
                }
            }
            bar.finish_and_clear();
        });
        Self { progress, is_over, thread }
    }

    pub(super) fn finish(self) {
        self.is_over.store(true, Relaxed);
        // The thread neither panics nor returns a value.
        self.thread.join().unwrap_or_default();
    }
}

/// Ends a run on a signal: after the first, no request is started and those in flight are awaited for a
/// limited time; after the second, they are not awaited.
pub(super) fn interrupts(stop: Arc<Stop>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::new() else { return };
            signals.next().await;
            status("stopping: waiting for the requests in flight (interrupt again to abandon them)");
            let reason = "interrupted; answers are saved; rerun to continue".into();
            stop.drain(Error::Interrupted { reason });
            tokio::select! {
                () = signals.next() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
            stop.abort();
        });
    });
}

/// Ctrl-C, and where the system has them the signals that ask a process to end.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
                .map(|kind| signal(kind).ok());
        Some(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        tokio::signal::ctrl_c().await.unwrap_or_default();
    }
}
