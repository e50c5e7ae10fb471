//! Redacts panic messages. Rust prints them to stderr, and they may contain data such as the key.

use std::sync::Arc;

use super::redactor::Secrets;
use crate::{guard, terminal};

/// Installs a panic hook that prints panic messages in one line without secrets.
pub fn hide_in_panics(secrets: Arc<Secrets>) {
    std::panic::set_hook(Box::new(move |panic| {
        if guard::keeps(panic) {
            return;
        }
        let message = guard::message(panic);
        let place = panic
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        let line = format!("surmise: internal error{place}: {message}");
        terminal::say(&secrets.redact_text(&line));
    }));
}
