//! Shows the progress of a study on stderr.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cli::Progress;
use crate::cli::status;
use crate::study::RunProgress;

const TICK: Duration = Duration::from_millis(100);
/// Number of steps of the progress bar.
const STEPS: u64 = 1000;

/// Shows the progress of a study until it is dropped.
pub(in crate::cli) struct Display {
    /// The counters that the tasks update.
    pub progress: Arc<RunProgress>,
    /// Prints a line above the bar without corrupting it.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    pub fn start(quiet: bool) -> Self {
        let progress = Arc::new(RunProgress::default());
        let bar = Progress::start(STEPS, quiet);
        let shown = bar.bar();
        let say: Arc<dyn Fn(&str) + Send + Sync> = Arc::new(move |line: &str| {
            if !quiet {
                shown.suspend(|| status(line));
            }
        });
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, of) = (is_over.clone(), progress.clone());
        // If no thread can be started, the run continues without a display.
        let shows = move || {
            while !over.load(Relaxed) {
                std::thread::park_timeout(TICK);
                bar.set_position(of.thousandths());
                bar.set_message(of.message());
            }
            bar.finish();
        };
        let thread = std::thread::Builder::new().spawn(shows).ok();
        Self { progress, say, is_over, thread }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The result is ignored, because the thread does not panic and returns no value.
            thread.join().unwrap_or_default();
        }
    }
}
