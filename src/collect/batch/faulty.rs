//! Keeps a list of the batches that cannot be polled or fetched. The run does not poll them again, and ends
//! with an error once the other batches have ended.

use std::collections::HashSet;

use super::context::Held;
use crate::collect::progress::Progress;

/// The batches that cannot be polled or fetched.
#[derive(Debug, Default)]
pub(super) struct Faulty {
    /// Names of the batches.
    names: HashSet<String>,
    /// The fault of the first of these batches.
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

    /// The reason why the run ends. If `n_open` other batches are open, the reason adds that `--cancel` also
    /// ends them.
    pub(super) fn reason(&self, n_open: usize) -> Option<String> {
        let fault = self.fault.as_deref()?;
        Some(match n_open {
            0 => fault.into(),
            n => format!("{fault}; --cancel also ends the other open batches ({n})"),
        })
    }
}
