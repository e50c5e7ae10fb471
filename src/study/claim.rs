//! Claims tasks, so that each task is run by only one of the processes that share a result folder. A claim is
//! a file created by a hard link, which is atomic on local and network file systems. No file locks are
//! needed.
//!
//! The holder renews its claim while it works. Another process may take the task over by creating a claim
//! with the next number if the existing claim has not changed for [`STALE_AFTER`] or if its holder ran on the
//! same machine and has ended. Clocks of different machines are never compared.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{Error, Result};
use crate::machine;

/// Interval at which a holder renews its claim.
const RENEWED_EVERY: Duration = Duration::from_secs(10);
/// Age at which an unchanged claim is stale and another process may take it over. Network file systems may
/// show changes by other machines up to a minute late.
const STALE_AFTER: Duration = Duration::from_secs(180);
const PREFIX: &str = "claim-";

/// The claims of one task.
#[derive(Debug)]
pub(super) struct Claims {
    folder: PathBuf,
}

/// The process that holds a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    host: String,
    /// The namespace in which `pid` is valid; empty if the system has no such identifier.
    space: String,
    pid: u32,
    /// Start time of the process, in the machine's own units. It distinguishes processes that reuse a pid.
    began: String,
    /// Number of renewals.
    beat: u64,
}

/// A claim of another process, and the time at which it was first seen in this state.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    number: u64,
    holder: Holder,
    since: Instant,
}

/// The result of an attempt to claim a task.
pub(super) enum Attempt {
    /// This process holds the claim.
    Taken(Claim),
    /// Another process holds the claim.
    Held(Seen),
}

impl Claims {
    /// The claims of the task with the result folder `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Describes the holder of the newest claim, unless its process has ended.
    pub fn holder(&self) -> Option<String> {
        let (_, holder) = self.newest()?;
        let is_dead = holder.has_ended();
        (!is_dead).then(|| format!("process {} on {}", holder.pid, holder.host))
    }

    fn newest(&self) -> Option<(u64, Holder)> {
        let entries = std::fs::read_dir(&self.folder).ok()?;
        let numbers = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix(PREFIX)?.parse::<u64>().ok());
        let number = numbers.max()?;
        // Claims are created atomically, so a claim that does not parse is damaged. Its holder is unknown, so
        // it is treated like a claim of another machine, which can be taken over once it is stale.
        let bytes = disk::read(self.path(number)).ok()?;
        let damaged = || Holder {
            host: "another machine".into(),
            space: String::new(),
            pid: 0,
            began: String::new(),
            beat: 0,
        };
        Some((number, serde_json::from_slice(&bytes).unwrap_or_else(|_| damaged())))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{number}"))
    }

    /// Tries to claim the task. `before` is the claim that an earlier attempt returned.
    ///
    /// # Errors
    /// [`Error::Write`] if the claim file cannot be written.
    pub fn attempt(&self, before: Option<&Seen>) -> Result<Attempt> {
        let newest = self.newest();
        if let Some((number, holder)) = &newest {
            let same = before.filter(|seen| seen.number == *number && seen.holder == *holder);
            let since = same.map_or_else(Instant::now, |seen| seen.since);
            if !holder.has_ended() && since.elapsed() < STALE_AFTER {
                return Ok(Attempt::Held(Seen { number: *number, holder: holder.clone(), since }));
            }
        }
        let number = newest.map_or(1, |(number, _)| number + 1);
        let holder = Holder::this_process();
        if create(&self.path(number), &holder)? {
            return Ok(Attempt::Taken(Claim::hold(&self.folder, number, holder)));
        }
        // Another process created this claim first.
        Ok(Attempt::Held(Seen { number, holder, since: Instant::now() }))
    }
}

/// Creates a claim file. Returns `false` if it exists.
fn create(path: &Path, holder: &Holder) -> Result<bool> {
    let fault = |source| Error::Write { path: path.into(), source };
    let bytes = disk::json_line(path, holder)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk::make_folder(folder)?;
    let mut partial = tempfile::Builder::new().prefix(".claim").tempfile_in(folder).map_err(fault)?;
    std::io::Write::write_all(&mut partial, &bytes).map_err(fault)?;
    match std::fs::hard_link(partial.path(), path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        // If the file system has no hard links, rename the file, unless the claim exists.
        Err(_) => match partial.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(fault(error.error)),
        },
    }
}

impl Holder {
    fn this_process() -> Self {
        let (pid, space) = (std::process::id(), machine::process_space().unwrap_or_default());
        Self { host: machine::name(), space, pid, began: began(pid).unwrap_or_default(), beat: 0 }
    }

    /// Whether the process is known to have ended. A process on another machine or in another container
    /// cannot be checked, so its claim must become stale first.
    fn has_ended(&self) -> bool {
        let here = machine::process_space().unwrap_or_default();
        if here.is_empty() || self.host != machine::name() || self.space != here {
            return false;
        }
        began(self.pid).is_none_or(|began| began != self.began)
    }
}

/// Start time of a process; `None` if there is no such process.
fn began(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The process name, in parentheses, may contain spaces. The next field is the state; `Z` means zombie.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    (fields.first() != Some(&"Z")).then(|| fields.get(19).map(|began| (*began).to_owned()))?
}

/// A claim that this process holds and renews.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    number: u64,
    is_lost: Arc<AtomicBool>,
    over: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl Claim {
    fn hold(folder: &Path, number: u64, mut holder: Holder) -> Self {
        let (is_lost, over) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(false)));
        let (lost, ended, claims) = (is_lost.clone(), over.clone(), Claims::new(folder));
        let renew = move || {
            loop {
                std::thread::park_timeout(RENEWED_EVERY);
                // The lock prevents a renewal after the claim was released.
                let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                if *ended {
                    return;
                }
                if claims.newest().is_none_or(|(newest, _)| newest != number) {
                    lost.store(true, Ordering::Relaxed);
                    return;
                }
                holder.beat += 1;
                // Ignore write errors here. If the disk is full, writing the result will report the error.
                disk::write_json(&claims.path(number), &holder).unwrap_or_default();
            }
        };
        let thread = std::thread::Builder::new().name("claim".into()).spawn(renew).ok();
        Self { claims: Claims::new(folder), number, is_lost, over, thread }
    }

    /// Whether another process has taken the task over.
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The result is ignored, because the thread does not panic and returns no value.
            thread.join().unwrap_or_default();
        }
        if !self.is_lost() {
            for number in 1..=self.number {
                std::fs::remove_file(self.claims.path(number)).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(claims: &Claims) -> Option<Claim> {
        match claims.attempt(None).expect("an attempt") {
            Attempt::Taken(claim) => Some(claim),
            Attempt::Held(_) => None,
        }
    }

    #[test]
    fn one_of_many_threads_takes_a_task_and_gives_it_back() {
        let folder = tempfile::tempdir().expect("a folder");
        for _ in 0..20 {
            let taken: Vec<Option<Claim>> = std::thread::scope(|scope| {
                let attempt = || take(&Claims::new(folder.path()));
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(attempt)).collect();
                threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
            });
            assert_eq!(taken.iter().flatten().count(), 1);
            let claims = Claims::new(folder.path());
            assert!(take(&claims).is_none() && claims.holder().is_some());
            drop(taken);
            assert!(claims.holder().is_none());
        }
    }

    #[test]
    fn the_task_of_an_ended_process_is_taken_over_and_that_of_another_machine_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = Claims::new(folder.path());
        let this = Holder::this_process();
        let ended = Holder { pid: u32::MAX - 1, ..this.clone() };
        assert!(create(&claims.path(1), &ended).expect("a claim"));
        let second = take(&claims).expect("taken over");
        assert_eq!(second.number, 2);
        drop(second);
        // Dropping the second claim removes the first, too.
        assert!(claims.newest().is_none());
        // Whether a holder in another process namespace or on another machine has ended cannot be checked, so
        // its claim stays valid until it is stale.
        let other = Holder { space: "another".into(), ..ended.clone() };
        assert!(create(&claims.path(1), &other).expect("a claim"));
        assert!(take(&claims).is_none());
        std::fs::remove_file(claims.path(1)).expect("a claim");
        let elsewhere = Holder { host: "elsewhere".into(), pid: u32::MAX - 1, ..this };
        assert!(create(&claims.path(1), &elsewhere).expect("a claim"));
        assert!(take(&claims).is_none());
        // An unchanged claim becomes stale; a renewed claim does not.
        let Attempt::Held(seen) = claims.attempt(None).expect("an attempt") else { panic!("it is held") };
        let Some(long_ago) = Instant::now().checked_sub(STALE_AFTER) else { return };
        let old = Seen { since: long_ago, ..seen };
        let renewed = Holder { beat: 1, ..elsewhere.clone() };
        disk::write_json(&claims.path(1), &renewed).expect("renewed");
        assert!(matches!(claims.attempt(Some(&old)).expect("an attempt"), Attempt::Held(_)));
        disk::write_json(&claims.path(1), &elsewhere).expect("as before");
        let Attempt::Taken(claim) = claims.attempt(Some(&old)).expect("an attempt") else { panic!("stale") };
        assert_eq!(claim.number, 2);
    }
}
