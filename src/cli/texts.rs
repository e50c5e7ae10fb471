//! Defines the flags for texts, which `measure` and `compare` share, and the two kinds of corpora: series and
//! texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SeriesFlags;
use crate::corpus::texts::Columns;
use crate::corpus::{Category, Corpus, CorpusControl, Series, Texts, WindowSettings};
use crate::error::Result;
use crate::model::Tokenizer;

/// The flags that select texts and cut them into windows.
#[derive(Debug, Clone, Args)]
pub(super) struct TextFlags {
    /// File of texts: a JSON array, JSON lines, CSV or TSV, or plain text with a blank line between texts,
    /// optionally compressed with gzip; may be given several times. The format is detected from the content,
    /// not from the extension. At most --windows windows per group are used
    #[arg(long = "texts", value_name = "FILE")]
    texts: Vec<PathBuf>,
    /// Number of tokens per window; windows begin at sentence starts and do not overlap
    #[arg(long, default_value_t = 32, value_name = "T")]
    window_tokens: usize,
    /// Control to compare the texts with: `shuffled` shuffles the tokens within each window; `none` measures
    /// no control
    #[arg(long, value_enum, default_value_t = ControlChoice::Shuffled)]
    control: ControlChoice,
    /// Column or JSON field that contains the text
    #[arg(long, default_value = "text", value_name = "NAME")]
    text_column: String,
    /// Column or JSON field that contains the group, such as the author; each group becomes a corpus. The
    /// column or field is optional
    #[arg(long, default_value = "group", value_name = "NAME")]
    group_column: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ControlChoice {
    Shuffled,
    None,
}

impl TextFlags {
    /// Whether texts were given.
    pub(super) fn has_texts(&self) -> bool {
        !self.texts.is_empty()
    }

    pub(super) fn read(&self) -> Result<Vec<Texts>> {
        let columns = Columns { text: self.text_column.clone(), group: self.group_column.clone() };
        let files = self.texts.iter().map(|file| Texts::read(file, &columns)).collect::<Result<Vec<_>>>()?;
        Ok(files.into_iter().flatten().collect())
    }

    /// The files given by `--texts`.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.texts
    }

    pub(super) fn window_settings(&self, windows: usize, seed: u64) -> WindowSettings {
        let control = match self.control {
            ControlChoice::Shuffled => Some(CorpusControl::Shuffled),
            ControlChoice::None => None,
        };
        WindowSettings { window_tokens: self.window_tokens, windows, seed, control }
    }
}

/// A corpus that is not tokenized yet.
pub(super) enum CorpusSource {
    Series { name: String, series: Series },
    Texts { texts: Texts, settings: WindowSettings },
}

impl CorpusSource {
    /// The named corpora, then the groups of texts.
    pub(super) fn all(names: &[String], reading: &TextFlags, draw: SeriesFlags) -> Result<Vec<Self>> {
        let mut sources = vec![];
        for name in names {
            let category = Category::load(name)?;
            let series = Series::draw(&category, draw.entities, draw.windows, draw.seed)?;
            sources.push(Self::Series { name: category.name, series });
        }
        let settings = reading.window_settings(draw.windows, draw.seed);
        sources.extend(reading.read()?.into_iter().map(|texts| Self::Texts { texts, settings }));
        Ok(sources)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Series { name, .. } => name,
            Self::Texts { texts, .. } => &texts.name,
        }
    }

    pub(super) fn corpus(&self, tokenizer: &Tokenizer) -> Result<Corpus> {
        match self {
            Self::Series { series, .. } => series.tokenize(tokenizer),
            Self::Texts { texts, settings } => settings.corpus(texts, tokenizer),
        }
    }
}
