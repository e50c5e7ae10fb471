//! The progress of a measurement, as steps of about the same length.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the steps that are done and reports them.
pub(super) struct Steps<'a> {
    total: usize,
    done: AtomicUsize,
    report: &'a (dyn Fn(usize, usize) + Sync),
}

impl<'a> Steps<'a> {
    /// `report` receives the number of steps done and their total.
    pub(super) fn new(total: usize, report: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        Self { total, done: AtomicUsize::new(0), report }
    }

    pub(super) fn add(&self, steps: usize) {
        (self.report)(steps + self.done.fetch_add(steps, Ordering::Relaxed), self.total);
    }
}
