//! Shares the memory for texts in progress among the threads that tokenize at the same time.

use std::sync::{Condvar, Mutex, PoisonError};

/// Maximum number of bytes of memory that all texts in progress may take together.
const MOST: usize = 1 << 30;
/// A text that takes at most this number of bytes reserves no memory.
const SMALL: usize = 16 << 20;

static USED: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// A reserved share of the memory. Dropping the share frees it for other texts.
#[derive(Debug)]
pub(super) struct Share(usize);

impl Share {
    /// Waits until `bytes` bytes are free, and reserves them. Reserves all memory if `bytes` exceeds the
    /// maximum.
    pub fn take(bytes: usize) -> Self {
        let bytes = if bytes <= SMALL { 0 } else { bytes.min(MOST) };
        if bytes > 0 {
            let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
            let used = FREED.wait_while(used, |used| *used + bytes > MOST);
            *used.unwrap_or_else(PoisonError::into_inner) += bytes;
        }
        Self(bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.0 > 0 {
            *USED.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
            FREED.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn large_texts_take_turns_and_small_ones_do_not_wait() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let share = Share::take(MOST / 2);
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    drop(Share::take(SMALL));
                    std::thread::yield_now();
                    now.fetch_sub(1, SeqCst);
                    drop(share);
                });
            }
        });
        assert!(most.load(SeqCst) <= 2);
        drop(Share::take(usize::MAX));
    }
}
