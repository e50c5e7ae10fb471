//! Runs the tasks of a study in parallel, within the limits of cores and memory. Each task is run by only one
//! process, and finished tasks are skipped.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::checked::Study;
use super::claim::{Attempt, Claims, Seen};
use super::execute::{Execution, Outcome};
use super::progress::RunProgress;
use super::results::{StudyFolder, TaskState};
use super::task::StudyTask;
use crate::collect::client::stop::Stop;
use crate::error::{Error, Result};
use crate::machine;
use crate::model::hub::Hub;

/// Settings for running tasks.
pub struct RunSettings<'a> {
    /// The Hugging Face hub and its cache on this machine.
    pub hub: &'a Hub,
    /// Maximum number of parallel tasks; `None` for the number of cores.
    pub jobs: Option<usize>,
    /// Memory limit for all tasks together, in bytes.
    pub memory_bytes: u64,
    /// Whether to wait for tasks that other processes hold.
    pub waits: bool,
    /// Receives messages for the user.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    /// Registers a collection so that a signal can stop it.
    pub interrupt: Arc<dyn Fn(Arc<Stop>) + Send + Sync>,
}

/// How a task ended in this run.
#[derive(Debug)]
pub enum TaskEnd {
    /// The task was done in this run.
    Done,
    /// The task was done before.
    Kept,
    /// Another process, described here, works on the task.
    Elsewhere(String),
    /// The task failed, or its result is incomplete.
    Failed(Error),
}

/// Interval at which the tasks of other processes are checked.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Runs tasks, and calls `after` after each task. Returns how each task ended, by task id. A failed task does
/// not stop the others.
///
/// # Errors
/// [`Error::Write`] if the folder cannot be written.
pub fn run_tasks(
    study: &Study,
    tasks: &[&StudyTask],
    folder: &StudyFolder,
    settings: &RunSettings,
    after: &(dyn Fn() + Sync),
    progress: &RunProgress,
) -> Result<BTreeMap<String, TaskEnd>> {
    let mut ends: BTreeMap<String, TaskEnd> = BTreeMap::new();
    let mut pending: Vec<&StudyTask> = vec![];
    for task in tasks {
        match folder.done(task) {
            Some(_) => drop(ends.insert(task.id.clone(), TaskEnd::Kept)),
            None => pending.push(task),
        }
    }
    // Start long tasks first, so that no long task runs alone at the end.
    pending.sort_by(|a, b| b.cost.seconds.total_cmp(&a.cost.seconds).then_with(|| a.id.cmp(&b.id)));
    let largest = pending.iter().map(|task| task.cost.memory_bytes).max().unwrap_or(0);
    let max_memory_bytes = (largest > settings.memory_bytes).then_some(settings.memory_bytes);
    let execution = Execution {
        study,
        folder,
        hub: settings.hub,
        max_memory_bytes,
        say: settings.say.clone(),
        interrupt: settings.interrupt.clone(),
    };
    let jobs = settings.jobs.unwrap_or_else(rayon::current_num_threads).clamp(1, pending.len().max(1));
    let queue = Queue::new(pending, settings.memory_bytes);
    let ended = Mutex::new(ends);
    let started = std::thread::scope(|scope| {
        let mut started = Ok(());
        for job in 0..jobs {
            let work = || {
                let worker = Worker { execution: &execution, settings, after, progress, queue: &queue };
                while let Some(turn) = queue.next() {
                    let id = turn.task.id.clone();
                    if let Some(end) = worker.take(turn) {
                        ended.lock().unwrap_or_else(PoisonError::into_inner).insert(id, end);
                    }
                }
            };
            // If further threads cannot be started, the existing threads do the work.
            match std::thread::Builder::new().name(format!("task-{job}")).spawn_scoped(scope, work) {
                Err(error) if job == 0 => started = Err(machine::no_thread(&error)),
                Err(_) => break,
                Ok(_) => {}
            }
        }
        started
    });
    started?;
    Ok(ended.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The pending tasks and the free memory.
struct Queue<'a> {
    state: Mutex<QueueState<'a>>,
    changed: Condvar,
    memory_bytes: u64,
}

struct QueueState<'a> {
    pending: Vec<Turn<'a>>,
    free_bytes: u64,
    n_running: usize,
    is_over: bool,
}

/// A pending task.
struct Turn<'a> {
    task: &'a StudyTask,
    /// The claim of another process that an earlier attempt found.
    seen: Option<Seen>,
    /// Earliest time of the next attempt.
    not_before: Option<Instant>,
}

impl<'a> Queue<'a> {
    fn new(tasks: Vec<&'a StudyTask>, memory_bytes: u64) -> Self {
        let turn = |task| Turn { task, seen: None, not_before: None };
        let state = QueueState {
            pending: tasks.into_iter().map(turn).collect(),
            free_bytes: memory_bytes,
            n_running: 0,
            is_over: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), memory_bytes }
    }

    fn needs(&self, task: &StudyTask) -> u64 {
        task.cost.memory_bytes.min(self.memory_bytes)
    }

    /// The next task that fits into the free memory, or `None` if all tasks are done. A task that needs more
    /// than the limit runs alone.
    fn next(&self) -> Option<Turn<'a>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.is_over || (state.pending.is_empty() && state.n_running == 0) {
                self.changed.notify_all();
                return None;
            }
            let now = Instant::now();
            let fits = |turn: &Turn| {
                self.needs(turn.task) <= state.free_bytes && turn.not_before.is_none_or(|at| at <= now)
            };
            if let Some(at) = state.pending.iter().position(fits) {
                let turn = state.pending.remove(at);
                state.free_bytes -= self.needs(turn.task);
                state.n_running += 1;
                return Some(turn);
            }
            if state.pending.is_empty() && state.n_running > 0 {
                // A running task may return to the queue if another process holds it.
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Ends an attempt. With `again`, the task returns to the queue.
    fn end(&self, task: &'a StudyTask, again: Option<Option<Seen>>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free_bytes += self.needs(task);
        state.n_running -= 1;
        if let Some(seen) = again {
            let not_before = Some(Instant::now() + LOOK_AGAIN);
            state.pending.push(Turn { task, seen, not_before });
        }
        self.changed.notify_all();
    }

    /// Stops the queue: no further task starts.
    fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.changed.notify_all();
    }
}

/// The result of an attempt to run a task.
enum Turned {
    Ended(TaskEnd),
    /// The task is tried again later. Contains the claim of its holder, if known.
    Again(Option<Seen>),
}

struct Worker<'a, 'b> {
    execution: &'b Execution<'a>,
    settings: &'b RunSettings<'a>,
    after: &'b (dyn Fn() + Sync),
    progress: &'b RunProgress,
    queue: &'b Queue<'b>,
}

impl<'b> Worker<'_, 'b> {
    /// Attempts a task. Returns `None` if it will be tried again later.
    fn take(&self, turn: Turn<'b>) -> Option<TaskEnd> {
        let Turn { task, seen, .. } = turn;
        let (end, again) = match self.attempt(task, seen.as_ref()) {
            Ok(Turned::Ended(end)) => (Some(end), None),
            Ok(Turned::Again(seen)) => (None, Some(seen)),
            Err(error) => (Some(TaskEnd::Failed(error)), None),
        };
        // A signal stops the whole run.
        if let Some(TaskEnd::Failed(Error::Interrupted { .. })) = &end {
            self.queue.stop();
        }
        self.queue.end(task, again);
        end
    }

    fn attempt(&self, task: &StudyTask, seen: Option<&Seen>) -> Result<Turned> {
        let folder = self.execution.folder;
        let claim = match Claims::new(&folder.of(task)).attempt(seen)? {
            Attempt::Taken(claim) => claim,
            Attempt::Held(seen) => {
                let holder = match folder.state(task) {
                    TaskState::Running { holder } => holder,
                    _ => "another process".into(),
                };
                if !self.settings.waits {
                    return Ok(Turned::Ended(TaskEnd::Elsewhere(holder)));
                }
                self.progress.wait(&task.id, &holder);
                return Ok(Turned::Again(Some(seen)));
            }
        };
        // Another process may have finished the task in the meantime.
        if folder.done(task).is_some() {
            self.progress.end(&task.id);
            return Ok(Turned::Ended(TaskEnd::Kept));
        }
        self.progress.start(&task.id, task.cost.seconds);
        let began = Instant::now();
        let step = |share: f64| {
            self.progress.advance(&task.id, share);
            !claim.is_lost()
        };
        let work = || self.execution.run(task, &step);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let result = result.unwrap_or_else(|_| Err(crate::collect::panicked()));
        // Another process collects into the same folder, with another version of the study file.
        if matches!(result, Err(Error::InUse { .. })) && self.settings.waits {
            self.progress.wait(&task.id, "another process");
            return Ok(Turned::Again(None));
        }
        self.progress.end(&task.id);
        let end = match result {
            Ok(Outcome { gaps: Some(error), .. }) | Err(error) => {
                let reason = self.execution.study.redacted(&error.chain());
                folder.fail(task, reason, error.exit_code())?;
                TaskEnd::Failed(error)
            }
            Ok(Outcome { files, note, gaps: None }) => {
                folder.finish(task, &files, began.elapsed().as_secs_f64(), note)?;
                TaskEnd::Done
            }
        };
        drop(claim);
        (self.after)();
        Ok(Turned::Ended(end))
    }
}

/// 80 % of the memory that is available to this process, in bytes. The rest is left to other processes.
pub fn free_memory_bytes() -> u64 {
    const FALLBACK: u64 = 4 << 30;
    let limit = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text.lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let available = available.map_or(FALLBACK, |kilobytes| kilobytes << 10);
    // A cluster job may have less memory than the machine.
    let job = limit("/sys/fs/cgroup/memory.max").or_else(slurm_memory_bytes);
    available.min(job.unwrap_or(u64::MAX)) / 10 * 8
}

/// Memory limit of a Slurm job on this node, in bytes.
fn slurm_memory_bytes() -> Option<u64> {
    let megabytes: u64 = std::env::var("SLURM_MEM_PER_NODE").ok()?.parse().ok()?;
    Some(megabytes << 20)
}
