//! Reads one table of a study file, key by key. A value of the wrong type and an unknown key are reported as
//! mistakes, with their line.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Findings, Located};
use crate::names;

/// A table of the file.
pub(super) struct Section<'a> {
    /// Name of the table, such as `design`; empty for the top level of the file.
    name: &'static str,
    /// The line of its header.
    pub line: usize,
    table: &'a DeTable<'a>,
    findings: &'a Findings<'a>,
    read: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub fn new(name: &'static str, line: usize, table: &'a DeTable<'a>, findings: &'a Findings<'a>) -> Self {
        Self { name, line, table, findings, read: RefCell::default() }
    }

    /// The value of a key, if present.
    fn value(&self, key: &'static str) -> Option<(usize, &'a DeValue<'a>)> {
        self.read.borrow_mut().push(key);
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some((self.line_of(value), value.get_ref()))
    }

    fn line_of<T>(&self, spanned: &Spanned<T>) -> usize {
        self.findings.line_at(spanned.span().start)
    }

    fn mistyped(&self, line: usize, key: &str, wanted: &str, value: &DeValue) {
        self.findings.add(line, format!("`{key}` must be {wanted}, but is of type {}", value.type_str()));
    }

    /// A non-empty string.
    pub fn text(&self, key: &'static str) -> Option<Located<String>> {
        let (line, value) = self.value(key)?;
        match value.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(Located { line, value: text.to_owned() }),
            None if value.is_str() => {
                self.findings.add(line, format!("`{key}` is empty; set a value or remove the key"));
                None
            }
            None => {
                self.mistyped(line, key, "a string in quotes", value);
                None
            }
        }
    }

    /// A required string. `what` completes the message if the key is missing.
    pub fn needed_text(&self, key: &'static str, what: &str) -> Located<String> {
        let missing = || {
            if !self.has(key) && !self.is_misspelt(key) {
                self.findings.add(self.line, format!("{} has no `{key}`: {what}", self.title()));
            }
            Located { line: self.line, value: String::new() }
        };
        self.text(key).unwrap_or_else(missing)
    }

    /// Whether the key is present.
    pub fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref().as_ref() == key)
    }

    /// Whether a key is missing and a key with nearly the same name is present. Then only the misspelt key is
    /// reported, by [`Section::finish`].
    pub fn is_misspelt(&self, key: &str) -> bool {
        let is_near = |typed: &str| !names::suggestion(typed, [key]).is_empty();
        !self.has(key) && self.table.iter().any(|(name, _)| is_near(name.get_ref().as_ref()))
    }

    /// A list of strings, or one string.
    pub fn texts(&self, key: &'static str) -> Option<Vec<Located<String>>> {
        let (line, value) = self.value(key)?;
        if let Some(text) = value.as_str() {
            return Some(vec![Located { line, value: text.to_owned() }]);
        }
        let Some(list) = value.as_array() else {
            self.mistyped(line, key, "a list of strings", value);
            return None;
        };
        let mut texts = vec![];
        for (at, value) in list.iter().enumerate() {
            let line = self.line_of(value);
            match value.get_ref().as_str() {
                Some(text) => texts.push(Located { line, value: text.to_owned() }),
                None => self.bad_item(line, key, "a list of strings", (at, value.get_ref())),
            }
        }
        Some(texts)
    }

    /// An integer in a range.
    pub fn whole(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let (line, value) = self.value(key)?;
        let number = whole(value);
        if number.is_none_or(|number| !range.contains(&number)) {
            let wanted = format!("a whole number from {} to {}", range.start(), range.end());
            self.out_of_range(line, key, &wanted, value);
            return None;
        }
        number
    }

    /// A list of integers, or one integer.
    pub fn wholes(&self, key: &'static str) -> Option<Vec<usize>> {
        let (line, value) = self.value(key)?;
        let wanted = "a list of whole numbers";
        let number = |value: &DeValue| usize::try_from(whole(value)?).ok();
        let Some(list) = value.as_array() else {
            let one = number(value);
            if one.is_none() {
                self.out_of_range(line, key, wanted, value);
            }
            return one.map(|one| vec![one]);
        };
        let bad = list.iter().enumerate().find(|(_, value)| number(value.get_ref()).is_none());
        if let Some((at, value)) = bad {
            self.bad_item(self.line_of(value), key, wanted, (at, value.get_ref()));
            return None;
        }
        Some(list.iter().filter_map(|value| number(value.get_ref())).collect())
    }

    /// A finite number greater than `above`.
    pub fn number(&self, key: &'static str, above: f64) -> Option<f64> {
        let (line, value) = self.value(key)?;
        let number = match value {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            value => whole(value).map(|number| number as f64),
        };
        if number.is_none_or(|number: f64| !number.is_finite() || number <= above) {
            self.out_of_range(line, key, &format!("a number above {above}"), value);
            return None;
        }
        number
    }

    /// `true` or `false`.
    pub fn switch(&self, key: &'static str) -> Option<bool> {
        let (line, value) = self.value(key)?;
        if value.as_bool().is_none() {
            self.mistyped(line, key, "true or false", value);
        }
        value.as_bool()
    }

    /// The table of a key.
    pub fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let (line, value) = self.value(key)?;
        match value.as_table() {
            Some(table) => Some(Section::new(key, line, table, self.findings)),
            None => {
                self.mistyped(line, key, &format!("a table, [{key}]"), value);
                None
            }
        }
    }

    /// The tables of a key that may occur several times.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some((line, value)) = self.value(key) else { return vec![] };
        if let Some(table) = value.as_table() {
            return vec![Section::new(key, line, table, self.findings)];
        }
        let Some(list) = value.as_array() else {
            self.mistyped(line, key, &format!("a list of tables, [[{key}]]"), value);
            return vec![];
        };
        let mut sections = vec![];
        for value in list {
            let line = self.line_of(value);
            match value.get_ref().as_table() {
                Some(table) => sections.push(Section::new(key, line, table, self.findings)),
                None => self.mistyped(line, key, &format!("a list of tables, [[{key}]]"), value.get_ref()),
            }
        }
        sections
    }

    /// Adds a mistake about the whole table.
    pub fn add(&self, reason: &str) {
        self.findings.add(self.line, reason);
    }

    /// Reports every key that was not read as unknown.
    pub fn finish(&self) {
        let read = self.read.borrow();
        for (name, _) in self.table {
            let key = name.get_ref().as_ref();
            if read.contains(&key) {
                continue;
            }
            let hint = names::suggestion(key, read.iter().copied());
            let keys = read.join(", ");
            let reason = format!("unknown key `{key}` in {}; {hint}the known keys are {keys}", self.title());
            self.findings.add(self.line_of(name), reason);
        }
    }

    fn bad_item(&self, line: usize, key: &str, wanted: &str, (at, value): (usize, &DeValue)) {
        let given = match value {
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Array(_) => "an array".to_owned(),
            other => format!("a {}", other.type_str()),
        };
        self.findings.add(line, format!("`{key}` must be {wanted} (item {} is {given})", at + 1));
    }

    fn out_of_range(&self, line: usize, key: &str, wanted: &str, value: &DeValue) {
        let given = match value {
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            other => format!("of type {}", other.type_str()),
        };
        self.findings.add(line, format!("`{key}` must be {wanted}, but is {given}"));
    }

    fn title(&self) -> String {
        match self.name {
            "" => "the top of the file".into(),
            "open" | "closed" => format!("[[{}]]", self.name),
            name => format!("[{name}]"),
        }
    }
}

fn whole(value: &DeValue) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}
