//! The error type of the library. Each message names the file, tensor, column or flag at fault and describes
//! what to do. The command-line tool prints the message and all of its causes.

use std::io::ErrorKind;
use std::path::PathBuf;

/// Everything that can go wrong, with the file, tensor, column or flag at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read {}; {}", path.display(), unreadable(source))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error(
        "cannot write {}; choose a writable folder (-o), or free some space",
        path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A JSON file does not parse, or does not match its schema.
    #[error(
        "{}: this is not the JSON that surmise expects here; replace the file, or remove it if surmise wrote \
         it",
        path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// A checkpoint's config.json has an impossible or unknown value.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// The key and what to do.
        reason: String,
    },
    /// An unknown name of a model, corpus, estimator or other item.
    #[error("unknown {kind} `{name}`: {hint}")]
    Unknown {
        /// The kind of name: model, corpus, estimator ...
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The known names, or how to list them.
        hint: String,
    },
    /// A model that could not be loaded from the hub or its cache.
    #[error("{id}, revision {revision}, from {endpoint}: {reason}")]
    Hub {
        /// Id of the model, as `owner/name`.
        id: String,
        /// Branch, tag or commit.
        revision: String,
        /// URL of the hub.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
        /// The underlying error, if there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The download cache could not be written.
    #[error(
        "cannot write {} in the model cache; free some space, or set HF_HUB_CACHE to a writable folder",
        path.display()
    )]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A checkpoint's weights do not fit its config or are damaged.
    #[error("{}: tensor `{tensor}` {reason}", path.display())]
    Tensor {
        /// The file of weights or arrays.
        path: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A file of weights or arrays that is damaged, truncated, or in an unsupported format.
    #[error("{}: {reason}", path.display())]
    Weights {
        /// The file: safetensors, GGUF or PyTorch.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The tokenizer cannot be used with the model or the corpus.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// The file of the tokenizer.
        path: PathBuf,
        /// What does not match, and what to do.
        reason: String,
    },
    /// A corpus that cannot provide the requested windows.
    #[error("corpus {name}: {reason}")]
    Corpus {
        /// The name or file of the corpus.
        name: String,
        /// What is missing and what to do.
        reason: String,
    },
    /// A CSV or JSONL file with an invalid row.
    #[error("{}, line {line}: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: u64,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A file of another tool that cannot be imported.
    #[error("{}: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file without a readable matrix.
    #[error("{} {reason}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A window does not fit the model.
    #[error("{model}: {reason}")]
    Window {
        /// The model's id.
        model: String,
        /// Which limit is exceeded, and by what.
        reason: String,
    },
    /// An invalid flag, setting or environment variable.
    #[error("{name} {reason}")]
    Parameter {
        /// The flag or setting.
        name: &'static str,
        /// Why the value is invalid, and usually what to do.
        reason: String,
    },
    /// NaN or infinity among numbers that must be finite.
    #[error(
        "{what} contains {count} NaN or infinite value(s), the first in row {row}, column {column} (counted \
         from 0); remove the rows that contain them or, if a model produced the values, check the weights \
         and dtype of the model"
    )]
    NonFinite {
        /// The array.
        what: String,
        /// First bad row, from 0.
        row: usize,
        /// First bad column, from 0.
        column: usize,
        /// Number of bad values.
        count: usize,
    },
    /// Two samples whose rows do not form pairs.
    #[error("paired samples: {reason}")]
    Pairs {
        /// What is missing.
        reason: String,
    },
    /// Samples that an estimator cannot use.
    #[error("estimator {estimator}: {reason}")]
    Samples {
        /// The estimator's name.
        estimator: &'static str,
        /// What the estimator needs.
        reason: String,
    },
    /// A table that cannot be used for calibration, or a calibration without a solution.
    #[error("calibration: {reason}")]
    Calibration {
        /// The column or candidate that is at fault, and what to do.
        reason: String,
    },
    /// Profiles, scores or readings that cannot be joined to observations.
    #[error("observations: {reason}")]
    Observations {
        /// The model, corpus or group that is at fault, and what to do.
        reason: String,
    },
    /// Models or answers that a study cannot use.
    #[error("study: {reason}")]
    Study {
        /// The model or answer that is at fault.
        reason: String,
    },
    /// A study file with mistakes.
    #[error("{}: {reason}", path.display())]
    StudyFile {
        /// The file.
        path: PathBuf,
        /// Every mistake, with its line and what to do.
        reason: String,
    },
    /// A checkpoint without a language-model head, which provides residual streams but no logits.
    #[error(
        "the checkpoint has no head (lm_head.weight), so it provides residual streams but no logits; use a \
         checkpoint of the whole model, or leave out --logits"
    )]
    NoHead,
    /// A journal that is damaged somewhere before its end.
    #[error(
        "{}, line {line} (byte {offset}): {reason}; `surmise collect repair` moves the damaged lines to \
         another file",
        path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        /// 1-based line.
        line: u64,
        /// Bytes before the line.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Answers cannot be stored, so no further request is sent.
    #[error(
        "cannot store answers in {}; free some space or choose another folder (-o), then run the same \
         command again",
        path.display()
    )]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Another process collects into the same folder.
    #[error(
        "{} is in use by {holder}; wait until this process ends, or choose another folder (-o)",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, its host, and the time when it started.
        holder: String,
    },
    /// An API that cannot be used with these settings.
    #[error("{endpoint}: {reason}")]
    Endpoint {
        /// Base URL.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
        /// The underlying error, if there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A missing or rejected key, or an account that has reached its limit.
    #[error("{endpoint}: {reason}")]
    Account {
        /// Base URL.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Prices that cannot be used.
    #[error("{}: {reason}", path.display())]
    Prices {
        /// The file of prices.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A run that ended with incomplete results, such as items without an answer.
    #[error("{reason}")]
    Gaps {
        /// How many results are missing, and why.
        reason: String,
    },
    /// The budget does not allow another request.
    #[error("{reason}")]
    Budget {
        /// The amount spent, and the number of requests left.
        reason: String,
    },
    /// Stopped by a signal.
    #[error("{reason}")]
    Interrupted {
        /// Which results are kept.
        reason: String,
    },
    /// A panic, which is a bug in surmise.
    #[error("{reason}")]
    Panicked {
        /// Which results are kept, and what to do.
        reason: String,
    },
    /// A thread could not be started.
    #[error(
        "cannot start another thread ({reason}); set a smaller --threads, or raise the system's \
         limit on threads"
    )]
    Threads {
        /// The error of the operating system.
        reason: String,
    },
    /// The server cannot start.
    #[error("cannot serve at {address}; choose another --port, or --port 0 for any free port")]
    Serve {
        /// The address.
        address: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A figure that could not be drawn.
    #[error("cannot draw the figure: {reason}; leave out -o to print only the table")]
    Figure {
        /// The error of the drawing library.
        reason: String,
    },
    /// The tensor library failed.
    #[error("tensor computation failed")]
    Compute(#[from] candle_core::Error),
}

impl Error {
    /// The message, followed by the message of each cause on its own line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            text.push_str(&format!("\n  because: {source}"));
            cause = source.source();
        }
        text
    }

    /// The exit code of a command that fails with this error; `--help` lists the codes.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Parameter { .. }
            | Self::Unknown { .. }
            | Self::InUse { .. }
            | Self::Prices { .. }
            | Self::StudyFile { .. } => 2,
            Self::Gaps { .. } => 3,
            Self::Budget { .. } => 4,
            Self::Account { .. } => 5,
            Self::Storage { .. } | Self::Journal { .. } => 6,
            Self::Interrupted { .. } => 130,
            _ => 1,
        }
    }
}

/// Advice on a path that cannot be read.
fn unreadable(source: &std::io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::NotFound => "check that the path exists",
        ErrorKind::IsADirectory => "give a file, not a folder",
        ErrorKind::NotADirectory => "check the path: a part of it is a file, not a folder",
        ErrorKind::PermissionDenied => "change its permissions, or give another path",
        _ => "check that it exists and is readable",
    }
}

/// `Result` with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;
