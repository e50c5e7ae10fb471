//! Tracks the progress of a study: the running tasks, and the finished fraction of the estimated time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The progress of one run, weighted by the estimated seconds of each task.
#[derive(Debug, Default)]
pub struct RunProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total_s: f64,
    done_s: f64,
    n_tasks: usize,
    n_done: usize,
    /// Name, estimated seconds and finished fraction of each running task.
    running: Vec<(String, f64, f64)>,
    /// Tasks that other processes hold, and descriptions of these processes.
    waiting: BTreeMap<String, String>,
    stage: String,
}

impl RunProgress {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts a run with this many tasks.
    pub(super) fn begin(&self, n_tasks: usize, total_s: f64) {
        self.with(|state| *state = State { n_tasks, total_s, ..State::default() });
    }

    /// Adds a running task.
    pub(super) fn start(&self, task: &str, seconds: f64) {
        self.with(|state| {
            state.waiting.remove(task);
            state.running.push((task.into(), seconds, 0.0));
        });
    }

    /// Marks a task as held by another process.
    pub(super) fn wait(&self, task: &str, holder: &str) {
        self.with(|state| {
            state.running.retain(|(name, ..)| name != task);
            state.waiting.insert(task.into(), holder.into());
        });
    }

    /// Sets the finished fraction of a running task.
    pub(super) fn advance(&self, task: &str, share: f64) {
        self.with(|state| {
            let running = state.running.iter_mut().find(|(name, ..)| name == task);
            running.into_iter().for_each(|running| running.2 = share.clamp(0.0, 1.0));
        });
    }

    /// Counts a task that ended, with or without an error.
    pub(super) fn end(&self, task: &str) {
        self.with(|state| {
            state.waiting.remove(task);
            if let Some(at) = state.running.iter().position(|(name, ..)| name == task) {
                state.done_s += state.running.remove(at).1;
                state.n_done += 1;
            }
        });
    }

    /// Sets the message for work between tasks.
    pub(super) fn stage(&self, stage: &str) {
        self.with(|state| state.stage = stage.into());
    }

    /// The finished fraction of the estimated time, in thousandths.
    pub fn thousandths(&self) -> u64 {
        self.with(|state| {
            let running: f64 = state.running.iter().map(|(_, seconds, share)| seconds * share).sum();
            let share = if state.total_s > 0.0 { (state.done_s + running) / state.total_s } else { 0.0 };
            (1000.0 * share.clamp(0.0, 1.0)) as u64
        })
    }

    /// The current activity, for the progress bar.
    pub fn message(&self) -> String {
        self.with(|state| {
            let mut names: Vec<String> = state.running.iter().map(|(name, ..)| name.clone()).collect();
            if names.is_empty() {
                let held = state.waiting.iter().take(1);
                names.extend(held.map(|(task, holder)| format!("waiting for `{task}`, which {holder} runs")));
            }
            match (names.is_empty(), state.stage.is_empty()) {
                (true, false) => state.stage.clone(),
                (true, true) => format!("{} of {} tasks", state.n_done, state.n_tasks),
                _ => format!("{} of {} tasks; {}", state.n_done, state.n_tasks, names.join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_the_estimated_time() {
        let progress = RunProgress::default();
        assert_eq!(progress.thousandths(), 0);
        progress.begin(3, 10.0);
        progress.start("a", 4.0);
        progress.start("b", 4.0);
        progress.advance("a", 0.5);
        assert_eq!(progress.thousandths(), 200);
        progress.end("b");
        assert_eq!((progress.thousandths(), progress.message()), (600, "1 of 3 tasks; a".into()));
        progress.end("a");
        progress.stage("report");
        assert_eq!((progress.thousandths(), progress.message()), (800, "report".into()));
    }
}
