//! Panics: a program's last words go to stderr by themselves, and may quote what it was at work on.

use std::io::Write;
use std::sync::Arc;

use super::redactor::Secrets;

/// From here on, what a panic anywhere in the process says is said without secrets, in one line.
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
        let line = format!("surmise: a mistake of the program itself{place}: {message}");
        writeln!(std::io::stderr(), "{}", secrets.redact_text(&line)).unwrap_or_default();
    }));
}
