//! Reads the files that define how messages become one prompt.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::Result;
use crate::model::tokenizer::TokenizerFiles;

/// The settings and the chat template of a tokenizer.
#[derive(Debug, Clone, Default)]
pub struct ChatFiles {
    /// The file that errors name.
    pub path: PathBuf,
    /// tokenizer_config.json; `null` if the file is missing or is not valid JSON.
    pub settings: Value,
    /// chat_template.jinja, if the file exists.
    pub template: Option<String>,
}

impl ChatFiles {
    /// Reads the files that exist; for a GGUF file, its metadata.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) if a file exists and cannot be read.
    pub(crate) fn read(files: &dyn TokenizerFiles) -> Result<Self> {
        let text = |name: &str| -> Result<Option<String>> {
            let bytes = files.read(name)?;
            Ok(bytes.and_then(|bytes| String::from_utf8(bytes.into_owned()).ok()))
        };
        let settings = text(SETTINGS)?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Self {
            path: files.gguf().map_or_else(|| files.path(SETTINGS), |gguf| gguf.path().into()),
            settings: settings.unwrap_or_default(),
            template: text("chat_template.jinja")?,
        })
    }
}

const SETTINGS: &str = "tokenizer_config.json";
