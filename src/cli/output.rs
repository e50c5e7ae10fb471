//! Writes data to stdout and status lines to stderr.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::terminal;

/// Writes data to stdout. On a terminal, control characters are escaped. A reader that stops early (`| head`)
/// causes no error.
pub(super) fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let shown = out.is_terminal().then(|| terminal::escaped(&String::from_utf8_lossy(bytes)).into_owned());
    let bytes = shown.as_deref().map_or(bytes, str::as_bytes);
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: Path::new("stdout").into(), source })
        }
        _ => Ok(()),
    }
}

/// Writes a line to stderr, with secrets redacted and control characters escaped. Ignores a closed stderr.
pub fn status(line: &str) {
    let line = SECRETS.get().map_or(Cow::Borrowed(line), |secrets| secrets.redact_text(line));
    terminal::say(&line);
}

/// Prints the notes and warnings about a model's config; `quiet` hides the notes only.
pub(super) fn config_notes(info: &ModelInfo, quiet: bool) {
    let (note, warnings) = info.notes();
    note.iter().filter(|_| !quiet).chain(&warnings).for_each(|line| status(line));
}

/// Secrets to redact in every line; set once the key has been read.
pub(super) static SECRETS: OnceLock<Arc<Secrets>> = OnceLock::new();
