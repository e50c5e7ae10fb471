//! Batches that cannot be polled or fetched. They are left alone until the others have ended.

use std::collections::HashSet;

use super::context::Held;
use crate::collect::progress::Progress;

/// The batches that cannot be polled or fetched.
#[derive(Debug, Default)]
pub(super) struct Faulty {
    /// Their names.
    names: HashSet<String>,
    /// The first reason.
    fault: Option<String>,
}

impl Faulty {
    pub(super) fn is_empty(&self) -> bool {
        self.fault.is_none()
    }

    pub(super) fn contains(&self, held: &Held) -> bool {
        self.names.contains(&held.batch.name)
    }

    pub(super) fn add(&mut self, held: &Held, fault: String, progress: &Progress) {
        self.names.insert(held.batch.name.clone());
        match self.fault {
            None => self.fault = Some(fault),
            Some(_) => progress.say(&fault),
        }
    }

    /// The reason why the run ends, with a hint on the `n_open` batches that a cancellation would also end.
    pub(super) fn reason(&self, n_open: usize) -> Option<String> {
        let fault = self.fault.as_deref()?;
        Some(match n_open {
            0 => fault.into(),
            n => format!("{fault}; --cancel also ends the other open batches ({n})"),
        })
    }
}
