//! Panic messages, which Rust prints to stderr and which may quote the data in use.

use std::io::Write;
use std::sync::Arc;

use super::redactor::Secrets;

/// From here on, panic messages of the process are printed in one line, without secrets.
pub fn hide_in_panics(secrets: Arc<Secrets>) {
    std::panic::set_hook(Box::new(move |panic| {
        let payload = panic.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no message");
        let place = panic
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        let line = format!("surmise: internal error{place}: {message}");
        writeln!(std::io::stderr(), "{}", secrets.redact_text(&line)).unwrap_or_default();
    }));
}
