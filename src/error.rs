//! The one error type of the library. A message is a fragment that reads on from "failed to ...": it names
//! the file, tensor, column or flag that is at fault and says what to do about it. The binary prints the
//! whole chain.

use std::path::PathBuf;

/// What can go wrong, by the thing that is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read {}; check that the file is there, is a file, and may be read", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error(
        "cannot write {}; choose a folder that exists or can be made and is writable (-o), or make \
         room there",
        path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A JSON file does not parse or lacks what its schema asks for.
    #[error(
        "{}: not the JSON that is expected here; replace the file, or remove it if surmise wrote it",
        path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// A checkpoint's config.json asks for something impossible or unknown.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// The key and what to do.
        reason: String,
    },
    /// A name that is neither embedded nor a folder or file.
    #[error("unknown {kind} `{name}`: {hint}")]
    Unknown {
        /// Model, corpus, estimator ...
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What exists.
        hint: String,
    },
    /// A model id that a hub, or the cache of one, does not give.
    #[error("{id}, revision {revision}, from {endpoint}: {reason}")]
    Hub {
        /// `owner/name`
        id: String,
        /// Branch, tag or commit.
        revision: String,
        /// The hub that was asked.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
        /// What lies behind it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The cache of downloads could not be written.
    #[error(
        "cannot write {} in the cache of models; free some space, or set HF_HUB_CACHE to a folder \
         that is writable",
        path.display()
    )]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A checkpoint's weights do not fit its config or are damaged.
    #[error("{}: tensor `{tensor}` {reason}", path.display())]
    Tensor {
        /// The safetensors file.
        path: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A safetensors file that is no safetensors file, or is cut short.
    #[error("{}: {reason}; download or save the checkpoint again", path.display())]
    Weights {
        /// The safetensors file.
        path: PathBuf,
        /// What the header or the length says.
        reason: String,
    },
    /// The tokenizer cannot be used with the model or the corpus.
    #[error("{}: {reason}", path.display())]
    Tokenizer {
        /// tokenizer.json
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A corpus that cannot give the windows asked for.
    #[error("corpus {name}: {reason}")]
    Corpus {
        /// Its name or file.
        name: String,
        /// What is missing and what to do.
        reason: String,
    },
    /// A CSV or JSONL file with a bad row.
    #[error("{}, line {line}: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: u64,
        /// What is wrong in it.
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
    /// A file that holds no matrix that can be read.
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
    /// A setting out of its range.
    #[error("{name} {reason}")]
    Parameter {
        /// The flag or setting.
        name: &'static str,
        /// Its range.
        reason: String,
    },
    /// NaN or infinity among numbers that must be finite.
    #[error(
        "{what} holds {count} NaN or infinite value(s), the first in row {row}, column {column}, both from \
         0; leave such rows out, or, if a model made them, check its weights and dtype"
    )]
    NonFinite {
        /// The array.
        what: String,
        /// First bad row, from 0.
        row: usize,
        /// First bad column, from 0.
        column: usize,
        /// How many in all.
        count: usize,
    },
    /// Samples that are no pairs.
    #[error("paired samples: {reason}")]
    Pairs {
        /// What they lack.
        reason: String,
    },
    /// Samples an estimator cannot work with.
    #[error("estimator {estimator}: {reason}")]
    Samples {
        /// The estimator's name.
        estimator: &'static str,
        /// What it needs.
        reason: String,
    },
    /// A table that cannot be calibrated on, or a calibration that has no solution.
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
    /// Models or answers that a study cannot be made of.
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
    /// A checkpoint that gives residual streams and no logits.
    #[error(
        "the checkpoint has no head (lm_head.weight): it gives residual streams and no logits; take the \
         whole model, or leave --logits out"
    )]
    NoHead,
    /// A journal that is damaged elsewhere than at its end.
    #[error(
        "{}, line {line} (byte {offset}): {reason}; `surmise collect repair` keeps every good record",
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
    /// Answers that cannot be kept: nothing more is asked.
    #[error(
        "cannot keep answers in {}; free some space or choose another folder (-o), then run the same \
         command again",
        path.display()
    )]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process collects into the same folder.
    #[error("{} is in use by {holder}; wait for it, or choose another folder (-o)", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Process, host, and since when.
        holder: String,
    },
    /// An API that cannot be used as it is asked.
    #[error("{endpoint}: {reason}")]
    Endpoint {
        /// Base URL.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
        /// What lies behind it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A key that is missing or refused, or an account that may ask no more.
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
        /// What is wrong in it.
        reason: String,
    },
    /// Some items have no outcome.
    #[error("{reason}")]
    Gaps {
        /// How many and why.
        reason: String,
    },
    /// The budget does not allow another request.
    #[error("{reason}")]
    Budget {
        /// What was spent and what is left to do.
        reason: String,
    },
    /// Stopped by a signal.
    #[error("{reason}")]
    Interrupted {
        /// What is kept.
        reason: String,
    },
    /// A panic: what the program took for impossible has happened.
    #[error("{reason}")]
    Panicked {
        /// What is kept and what to do.
        reason: String,
    },
    /// The system refuses a thread.
    #[error("the system starts no further thread ({reason}); give fewer with --threads, or raise its limits")]
    Threads {
        /// What the system said.
        reason: String,
    },
    /// The server cannot begin.
    #[error("cannot serve at {address}; take another --port, or 0 for a free one")]
    Serve {
        /// The address or the model.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A figure that could not be drawn.
    #[error("cannot draw the figure: {reason}; the table alone goes to stdout without -o")]
    Figure {
        /// What the drawing library said.
        reason: String,
    },
    /// The tensor library failed.
    #[error("tensor computation failed")]
    Compute(#[from] candle_core::Error),
}

impl Error {
    /// The message with those of its causes, a line each.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            text.push_str(&format!("\n  because: {source}"));
            cause = source.source();
        }
        text
    }

    /// The exit code of a command that fails with it; `--help` lists them.
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

/// `Result` with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;
