//! Shows the progress of a long run. A terminal gets a bar with the time left; otherwise stderr gets a line
//! every half minute. If the steps cannot be counted, only the elapsed time is shown.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use super::status;
use crate::terminal;

const LINE_EVERY: Duration = Duration::from_secs(30);
/// How often the bar is redrawn. A shorter run draws only when its message or position changes.
const DRAWN_EVERY: Duration = Duration::from_millis(500);
/// The bar has a fixed width, because the message next to it may be long.
const COUNTED: &str = "{elapsed_precise} [{bar:20}] {percent}%, {left}, {msg}";
const UNCOUNTED: &str = "{elapsed_precise} {msg}";

/// The progress of one run, counted in steps of about the same length.
pub(super) struct Progress {
    bar: ProgressBar,
    message: Arc<Mutex<String>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts the display of a run of `steps` steps; 0 means an unknown number. `quiet` shows nothing.
    pub(super) fn start(steps: u64, quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(steps) };
        bar.set_style(style(if steps == 0 { UNCOUNTED } else { COUNTED }));
        let message = Arc::new(Mutex::new(String::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = (!quiet).then(|| {
            let (bar, message, over) = (bar.clone(), message.clone(), is_over.clone());
            let shows =
                move || if bar.is_hidden() { lines(&bar, &message, &over) } else { draws(&bar, &over) };
            // If no thread can be started, the run continues without a display.
            std::thread::Builder::new().spawn(shows).ok()
        });
        Self { bar, message, is_over, thread: thread.flatten() }
    }

    /// Starts the display of a run whose steps cannot be counted. A short run shows nothing.
    pub(super) fn uncounted(message: &'static str, quiet: bool) -> Self {
        let progress = Self::start(0, quiet);
        // Unlike `set_message`, `with_message` does not draw.
        drop(progress.bar.clone().with_message(message));
        *progress.message.lock().unwrap_or_else(PoisonError::into_inner) = message.to_owned();
        progress
    }

    /// Sets the message, which names the current work.
    pub(super) fn set_message(&self, message: String) {
        self.bar.set_message(terminal::escaped(&message).into_owned());
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = message;
    }

    /// Sets the number of completed steps.
    pub(super) fn set_position(&self, steps: u64) {
        self.bar.set_position(steps);
    }

    /// Sets the total number of steps.
    pub(super) fn set_length(&self, steps: u64) {
        if steps != self.bar.length().unwrap_or(0) {
            self.bar.set_length(steps);
            self.bar.set_style(style(COUNTED));
        }
    }

    /// Adds to the number of completed steps.
    pub(super) fn inc(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// A handle that prints lines above the bar without corrupting it.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Ends the display. Dropping the value has the same effect.
    pub(super) fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The result is ignored, because the thread does not panic and returns no value.
            thread.join().unwrap_or_default();
        }
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", |state: &ProgressState, out: &mut dyn Write| {
        let written = if state.pos() == 0 {
            out.write_str("time left not known yet")
        } else {
            write!(out, "{:#} left", HumanDuration(state.eta()))
        };
        // Writing to a string cannot fail.
        written.unwrap_or_default();
    })
}

/// Redraws the elapsed time until the run is over.
fn draws(bar: &ProgressBar, is_over: &AtomicBool) {
    let mut last = Instant::now();
    while !is_over.load(Relaxed) {
        std::thread::park_timeout(DRAWN_EVERY.saturating_sub(last.elapsed()));
        if last.elapsed() >= DRAWN_EVERY {
            last = Instant::now();
            bar.tick();
        }
    }
}

/// Prints a line every half minute until the run is over.
fn lines(bar: &ProgressBar, message: &Mutex<String>, is_over: &AtomicBool) {
    let (began, mut last) = (Instant::now(), Instant::now());
    while !is_over.load(Relaxed) {
        std::thread::park_timeout(LINE_EVERY.saturating_sub(last.elapsed()));
        if last.elapsed() >= LINE_EVERY {
            last = Instant::now();
            let message = message.lock().unwrap_or_else(PoisonError::into_inner).clone();
            status(&line(bar.position(), bar.length().unwrap_or(0), began.elapsed(), &message));
        }
    }
}

/// The progress in words. The estimate of the time left assumes that all steps take equally long.
fn line(done: u64, total: u64, elapsed: Duration, message: &str) -> String {
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    if total == 0 {
        return format!("{} so far{message}", time(elapsed));
    }
    let share = (done as f64 / total as f64).min(1.0);
    let left = if share > 0.0 {
        format!("about {} left", time(elapsed.mul_f64((1.0 - share) / share)))
    } else {
        "time left not known yet".into()
    };
    let percent = (100.0 * share).floor();
    format!("{percent} %, {} so far, {left}{message}", time(elapsed))
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_share_the_time_and_the_time_left() {
        let after = |seconds| Duration::from_secs(seconds);
        assert_eq!(line(0, 10, after(30), ""), "0 %, 30 s so far, time left not known yet");
        assert_eq!(line(0, 0, after(30), "m"), "30 s so far: m");
        assert_eq!(line(1, 4, after(60), "m, c"), "25 %, 1 min 0 s so far, about 3 min 0 s left: m, c");
        assert_eq!(line(1, 2, after(3660), ""), "50 %, 1 h 1 min so far, about 1 h 1 min left");
        assert_eq!(line(4, 4, after(5), ""), "100 %, 5 s so far, about 0 s left");
    }
}
