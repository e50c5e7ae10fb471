//! Turns a panic in a library, for example because of a damaged file, into an error. The panic is not
//! printed.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    /// The message of the last panic, or `None` outside a guarded call on this thread.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// The message of a panic, on one line.
pub(crate) fn message(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").replace('\n', " ")
}

/// If this thread is in a guarded call, stores the message of the panic and returns true.
pub(crate) fn keeps(panic: &PanicHookInfo<'_>) -> bool {
    SAID.with_borrow_mut(|said| {
        if let Some(said) = said {
            *said = message(panic);
        }
        said.is_some()
    })
}

/// Runs `work` and catches a panic. If `work` panics, later code must not use data that `work` was changing.
///
/// # Errors
/// The message of the panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !keeps(panic) {
                before(panic);
            }
        }));
    });
    let outer = SAID.replace(Some(String::new()));
    let done = catch_unwind(AssertUnwindSafe(work));
    let said = SAID.replace(outer).unwrap_or_default();
    done.map_err(|_| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| -> u8 { panic!("a\n{}", "b") }), Err("a b".into()));
        let nested = guarded(|| guarded(|| -> u8 { panic!("inner") }));
        assert_eq!(nested, Ok(Err("inner".into())));
        assert_eq!(guarded(|| 2), Ok(2));
    }
}
