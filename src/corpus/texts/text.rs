//! A text of a file, and the columns of texts and groups.

/// The names of the columns, or JSON fields, with texts and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The name of the text column.
    pub text: String,
    /// The name of the group column, which is optional in a file.
    pub group: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self { text: "text".into(), group: "group".into() }
    }
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The content.
    pub text: String,
    /// The line on which the text begins, from 1.
    pub line: u64,
}

/// A text with its group, if its row names one.
pub(super) type GroupedText = (Text, Option<String>);
