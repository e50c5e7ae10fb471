//! Output: data on stdout, status lines on stderr.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::terminal;

/// Writes data to stdout, as it is but on a terminal, where control characters are escaped. A reader that
/// stops early (`| head`) is no failure.
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

/// Writes a line to stderr without secrets and control characters. A closed stderr is no failure.
pub fn status(line: &str) {
    let line = SECRETS.get().map_or(Cow::Borrowed(line), |secrets| secrets.redact_text(line));
    terminal::say(&line);
}

/// Says what there is to know of a model's config; notes, not warnings, are left out if asked to be.
pub(super) fn config_notes(info: &ModelInfo, quiet: bool) {
    let (note, warnings) = info.notes();
    note.iter().filter(|_| !quiet).chain(&warnings).for_each(|line| status(line));
}

/// Secrets that are redacted in every line, once they are known.
pub(super) static SECRETS: OnceLock<Arc<Secrets>> = OnceLock::new();
