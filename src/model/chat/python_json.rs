//! Defines the filter `tojson`, which chat templates use as in transformers. It returns the same text as
//! Python's `json.dumps`, and does not escape `<`, `>`, `&`, single quotes and letters beyond ASCII.
//!
//! # References
//! `_compile_jinja_template` in `transformers/utils/chat_template_utils.py`, and the module `json` of Python.

use std::io::{self, Write};

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Maximum length of an indentation in bytes.
const LONGEST: usize = 100;

const NAMES: [&str; 4] = ["ensure_ascii", "indent", "separators", "sort_keys"];

/// `tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`
#[expect(clippy::needless_pass_by_value, reason = "filters take their arguments by value")]
pub(super) fn tojson(value: &Value, given: Rest<Value>, named: Kwargs) -> Result<String, Error> {
    let wrong = |reason: &str| Error::new(ErrorKind::InvalidOperation, format!("tojson: {reason}"));
    if given.len() > NAMES.len() {
        return Err(wrong("it takes at most four arguments"));
    }
    let argument = |at: usize| -> Result<Option<Value>, Error> {
        let argument = named.get::<Option<Value>>(NAMES[at])?.or_else(|| given.get(at).cloned());
        Ok(argument.filter(|argument| !argument.is_none()))
    };
    let [is_ascii, indent, separators, is_sorted] = [argument(0)?, argument(1)?, argument(2)?, argument(3)?];
    named.assert_all_used()?;
    let is = |argument: Option<Value>| argument.is_some_and(|argument| argument.is_true());
    let indent = match indent {
        None => None,
        Some(indent) => {
            let text = match indent.as_str() {
                Some(text) => text.to_owned(),
                None => " ".repeat(usize::try_from(indent)?.min(LONGEST + 1)),
            };
            if text.len() > LONGEST {
                return Err(wrong(&format!("the indentation may have at most {LONGEST} bytes")));
            }
            Some(text)
        }
    };
    let mut style = Python {
        is_ascii: is(is_ascii),
        item: if indent.is_some() { "," } else { ", " }.into(),
        key: ": ".into(),
        indent,
        depth: 0,
        is_empty: true,
    };
    if let Some(separators) = separators {
        let texts: Vec<Value> = separators.try_iter()?.collect();
        match texts.iter().map(Value::as_str).collect::<Vec<_>>()[..] {
            [Some(item), Some(key)] => (style.item, style.key) = (item.into(), key.into()),
            _ => return Err(wrong("separators must be two strings")),
        }
    }
    let value = if is(is_sorted) { sorted(value)? } else { value.clone() };
    let mut json = vec![];
    value.serialize(&mut Serializer::with_formatter(&mut json, style)).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "cannot serialize to JSON").with_source(error)
    })?;
    String::from_utf8(json).map_err(|_| wrong("the text is not UTF-8"))
}

/// The same value, with sorted keys in all its maps.
fn sorted(value: &Value) -> Result<Value, Error> {
    Ok(match value.kind() {
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.collect();
            keys.sort();
            let entry = |key: Value| Ok((key.clone(), sorted(&value.get_item(&key)?)?));
            Value::from_pairs(keys.into_iter().map(entry).collect::<Result<Vec<_>, Error>>()?)
        }
        ValueKind::Seq => value.try_iter()?.map(|item| sorted(&item)).collect::<Result<Value, Error>>()?,
        _ => value.clone(),
    })
}

/// Writes JSON like Python.
struct Python {
    is_ascii: bool,
    indent: Option<String>,
    item: String,
    key: String,
    depth: usize,
    is_empty: bool,
}

impl Python {
    fn open<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.is_empty {
            self.line(out)?;
        }
        self.is_empty = false;
        out.write_all(bracket)
    }

    fn next<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.is_empty = false;
        if !first {
            out.write_all(self.item.as_bytes())?;
        }
        self.line(out)
    }

    fn line<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        let Some(indent) = &self.indent else { return Ok(()) };
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(indent.as_bytes()))
    }
}

impl Formatter for Python {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(self.key.as_bytes())
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if !self.is_ascii {
            return out.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                out.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn write_f64<W: Write + ?Sized>(&mut self, out: &mut W, number: f64) -> io::Result<()> {
        let text = format!("{number:?}");
        let Some((digits, power)) = text.split_once('e') else { return out.write_all(text.as_bytes()) };
        let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
        write!(out, "{digits}e{sign}{power:0>2}")
    }

    fn write_char_escape<W: Write + ?Sized>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        let short: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(out, "\\u{byte:04x}"),
        };
        out.write_all(short)
    }
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    /// The result of the filter for a map that contains all kinds of values. `arguments` is the text after
    /// `tojson` in the template.
    fn made(arguments: &str) -> Result<String, String> {
        let text = "\"<a> & 'x' \\\"q\\\" \u{e9}\\n\u{7}\u{7f}\u{1f600}\"";
        let map = format!("{{\"b\": {text}, \"a\": [1, 2.5, 1e16, 0.00001, true, none, [], {{}}]}}");
        let mut environment = Environment::new();
        environment.add_filter("tojson", super::tojson);
        let template = format!("{{{{ {map} | tojson{arguments} }}}}");
        environment.render_str(&template, ()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_text_is_that_of_python() {
        // Python 3.12 printed the expected texts (`json.dumps`).
        let text = "\"b\": \"<a> & 'x' \\\"q\\\" \u{e9}\\n\\u0007\u{7f}\u{1f600}\"";
        let plain = format!("{{{text}, \"a\": [1, 2.5, 1e+16, 1e-05, true, null, [], {{}}]}}");
        assert_eq!(made(""), Ok(plain.clone()));
        assert_eq!(made("(false, none)"), Ok(plain));
        let ascii = concat!(
            r#"{"b":"<a> & 'x' \"q\" \u00e9\n\u0007\u007f\ud83d\ude00","#,
            r#""a":[1,2.5,1e+16,1e-05,true,null,[],{}]}"#
        );
        assert_eq!(made("(ensure_ascii=true, separators=(',', ':'))").as_deref(), Ok(ascii));
        let items = ["1", "2.5", "1e+16", "1e-05", "true", "null", "[]", "{}"].join(",\n\t\t");
        let sorted = format!("{{\n\t\"a\": [\n\t\t{items}\n\t],\n\t{text}\n}}");
        assert_eq!(made("(indent='\\t', sort_keys=true)"), Ok(sorted));
        assert_eq!(made("(indent=1)").map(|text| text.contains("\n  1e+16,\n")), Ok(true));
        for wrong in [
            "(indent=9000000000)",
            "(indent='x' * 101)",
            "(separators=',')",
            "(separators=[1, 2])",
            "(width=1)",
            "(1, 2, 3, 4, 5)",
        ] {
            assert!(made(wrong).is_err(), "{wrong}");
        }
    }
}
