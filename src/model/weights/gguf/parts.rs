//! Handles models in several GGUF files: parses the names of the parts, and reads the part numbers in the
//! headers.

use super::metadata::Metadata;
use crate::error::{Error, Result};

/// The name of a part: `PREFIX-00001-of-00003.gguf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) struct PartName<'a> {
    /// The beginning that the names of all parts have in common, including the folder.
    pub(in crate::model) prefix: &'a str,
    /// Number of this part, from 1.
    pub(in crate::model) number: usize,
    /// Number of parts.
    pub(in crate::model) count: usize,
    extension: &'a str,
}

impl<'a> PartName<'a> {
    /// Parses a file name; `None` if it does not name a part.
    pub(in crate::model) fn parse(name: &'a str) -> Option<Self> {
        let (stem, extension) = name.split_at_checked(name.len().checked_sub(EXTENSION.len())?)?;
        if !extension.eq_ignore_ascii_case(EXTENSION) {
            return None;
        }
        let digits = |text: &str| {
            let is_number = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse().ok() } else { None }
        };
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        let (number, count): (usize, usize) = (digits(number)?, digits(count)?);
        (1..=count).contains(&number).then_some(Self { prefix, number, count, extension })
    }

    /// The name of the part with the given number, of the same model.
    pub(in crate::model) fn sibling(&self, number: usize) -> String {
        format!("{}-{number:05}-of-{:05}{}", self.prefix, self.count, self.extension)
    }

    /// The same name with another part number.
    pub(super) fn at(self, number: usize) -> Self {
        Self { number, ..self }
    }

    /// The names of all parts.
    pub(in crate::model) fn all(self) -> impl Iterator<Item = String> {
        (1..=self.count).map(move |number| self.sibling(number))
    }
}

const EXTENSION: &str = ".gguf";

/// The part numbers in the header of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// Number of this part, from 1.
    pub(super) number: usize,
    pub(super) count: usize,
    /// Number of tensors in all parts together.
    pub(super) n_tensors: Option<usize>,
}

impl Split {
    /// Reads the part numbers; `None` for a model in one file.
    ///
    /// # Errors
    /// [`Error::Config`] for values that are not whole numbers below 2^32.
    pub(super) fn of(metadata: &Metadata) -> Result<Option<Self>> {
        let Some(count) = metadata.size("split.count")?.filter(|count| *count > 1) else { return Ok(None) };
        let number = metadata.size("split.no")?.unwrap_or_default() + 1;
        Ok(Some(Self { number, count, n_tensors: metadata.size("split.tensors.count")? }))
    }

    /// Checks that the file name has the part numbers of the header.
    ///
    /// # Errors
    /// [`Error::Config`] if the part numbers differ.
    pub(super) fn check(self, name: Option<PartName>, metadata: &Metadata) -> Result<()> {
        let Self { number, count, .. } = self;
        match name {
            Some(name) if (name.number, name.count) == (number, count) => Ok(()),
            _ => Err(metadata.fault(format!(
                "is part {number} of {count} of a model according to its header, but its name does not \
                 match; give all parts their published names (NAME-{number:05}-of-{count:05}.gguf)"
            ))),
        }
    }
}

/// Advice for parts of different models.
pub(super) const OF_ONE_MODEL: &str = "download all parts of one model into a separate folder";

/// The error about a part that belongs to another model.
pub(super) fn of_another_model(metadata: &Metadata, first: &str) -> Error {
    metadata.fault(format!("belongs to a different model than {first} in the same folder; {OF_ONE_MODEL}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_part_is_taken_apart_and_put_together() {
        let part = PartName::parse("q4/a-00002-of-00003.GGUF").expect("a part");
        assert_eq!((part.prefix, part.number, part.count), ("q4/a", 2, 3));
        assert_eq!(part.sibling(1), "q4/a-00001-of-00003.GGUF");
        assert_eq!(part.all().last().as_deref(), Some("q4/a-00003-of-00003.GGUF"));
        for name in [
            "a.gguf",
            ".gguf",
            "a",
            "é",
            "a-1-of-2.gguf",
            "a-00000-of-00002.gguf",
            "a-00003-of-00002.gguf",
            "a-00001-of-00002.safetensors",
            "a-0000x-of-00002.gguf",
        ] {
            assert_eq!(PartName::parse(name), None, "{name}");
        }
    }
}
