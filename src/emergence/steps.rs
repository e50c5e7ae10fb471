//! Reports the progress of a measurement in steps of about the same duration.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts completed steps and reports them.
pub(super) struct Steps<'a> {
    total: usize,
    done: AtomicUsize,
    report: &'a (dyn Fn(usize, usize) + Sync),
}

impl<'a> Steps<'a> {
    /// `report` receives the number of steps done and the total.
    pub(super) fn new(total: usize, report: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        Self { total, done: AtomicUsize::new(0), report }
    }

    /// Reserves `steps` of the total steps for one task, which reports its progress with [`Part::reach`].
    pub(super) fn part(&self, steps: usize) -> Part<'_> {
        Part { steps: self, total: steps, reached: AtomicUsize::new(0) }
    }

    pub(super) fn add(&self, steps: usize) {
        (self.report)(steps + self.done.fetch_add(steps, Ordering::Relaxed), self.total);
    }
}

/// The steps of one task.
pub(super) struct Part<'a> {
    steps: &'a Steps<'a>,
    total: usize,
    reached: AtomicUsize,
}

impl Part<'_> {
    /// Reports that the fraction `done / of` of the task is complete. Reports may arrive in any order.
    pub(super) fn reach(&self, done: usize, of: usize) {
        let now = self.total * done / of.max(1);
        let before = self.reached.fetch_max(now, Ordering::Relaxed);
        if now > before {
            self.steps.add(now - before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn pieces_in_any_order_add_up_to_the_steps_of_their_part() {
        let seen = Mutex::new(vec![]);
        let report = |done, total| seen.lock().unwrap().push((done, total));
        let steps = Steps::new(7, &report);
        let part = steps.part(4);
        [(1, 8), (3, 8), (2, 8), (8, 8), (1, 1)].into_iter().for_each(|(done, of)| part.reach(done, of));
        steps.add(3);
        assert_eq!(*seen.lock().unwrap(), [(1, 7), (4, 7), (7, 7)]);
    }
}
