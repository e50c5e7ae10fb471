//! Parses the JSON of servers. If a strict parser rejects a body, the body is repaired and parsed again, so
//! that a billed answer is not lost because of a byte-order mark, leading blank lines, an unpaired surrogate,
//! a control character, invalid UTF-8, or a number that is not finite. Any other invalid JSON is an error.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Maximum number of values in a body, more than any answer contains. Each value takes about 32 bytes of
/// memory and at least two bytes of the body.
const MAX_VALUES: usize = 1 << 21;

/// Parses a body. The error is the reason why parsing failed.
pub fn parse(body: &[u8]) -> Result<Value, String> {
    if body.len() > 2 * MAX_VALUES && count_values(body) > MAX_VALUES {
        return Err(format!("contains more than {MAX_VALUES} values"));
    }
    read(body)
}

/// Like [`parse`], but without the limit on the number of values, for local files.
pub fn read(body: &[u8]) -> Result<Value, String> {
    read_as(body)
}

/// Like [`read`], but deserialises into `T`, which may leave out the unneeded parts of a large file.
pub fn read_as<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = skip_padding(body);
    if body.is_empty() {
        return Err("is empty".into());
    }
    serde_json::from_slice(body).or_else(|strict| {
        serde_json::from_slice(&repair(body)).map_err(|_| format!("is not JSON ({strict})"))
    })
}

/// Reads a count. Some servers send it as a float.
pub fn count(value: &Value) -> Option<u64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    value.as_u64().or_else(|| {
        let float = value.as_f64().filter(|float| (0.0..=EXACT).contains(float))?;
        (float.fract() == 0.0).then_some(float as u64)
    })
}

/// Reads a code. Some servers send it as a number.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Skips a byte-order mark, and the blank lines and comments that some servers send to keep a connection
/// open.
fn skip_padding(body: &[u8]) -> &[u8] {
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    while rest.starts_with(b":") {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |line| line + 1);
        rest = rest[end..].trim_ascii_start();
    }
    rest
}

/// An upper bound on the number of values in a body: one for each bracket, brace and comma, plus one.
pub fn count_values(body: &[u8]) -> usize {
    let (mut inside, mut escaped, mut n) = (false, false, 1);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'[' | b'{' | b',' if !inside => n += 1,
            _ => {}
        }
    }
    n
}

/// Repairs the kinds of invalid JSON that the module documentation lists.
fn repair(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut repaired = String::with_capacity(text.len() + 16);
    let mut rest: &str = &text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => repair_string(rest, &mut repaired),
            '-' | '+' | '0'..='9' | 'A'..='Z' | 'a'..='z' => repair_scalar(rest, &mut repaired),
            _ => {
                repaired.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    repaired.into_bytes()
}

/// Copies the string at the start of `rest`. Returns the number of bytes read.
fn repair_string(rest: &str, repaired: &mut String) -> usize {
    repaired.push('"');
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(c) = rest[at..].chars().next() {
        match c {
            '"' => {
                repaired.push('"');
                return at + 1;
            }
            '\\' if bytes.get(at + 1) == Some(&b'u') => {
                let (piece, taken) = repair_escape(rest, at);
                repaired.push_str(&piece);
                at += taken;
            }
            '\\' => {
                // The escaped character may have several bytes; it is copied as a whole.
                let next = rest[at + 1..].chars().next();
                repaired.push('\\');
                repaired.extend(next);
                at += 1 + next.map_or(0, char::len_utf8);
            }
            c if u32::from(c) < 0x20 => {
                repaired.push_str(&format!("\\u{:04x}", u32::from(c)));
                at += 1;
            }
            c => {
                repaired.push(c);
                at += c.len_utf8();
            }
        }
    }
    at
}

/// The escape `\uXXXX` at position `at`, with an unpaired surrogate replaced, and the number of bytes read.
fn repair_escape(rest: &str, at: usize) -> (Cow<'_, str>, usize) {
    let unit = |at: usize| -> Option<u16> {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    match unit(at) {
        Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => {
            (rest[at..at + 12].into(), 12)
        }
        Some(0xD800..=0xDFFF) => ("\\ufffd".into(), 6),
        // Any other escape is copied unchanged; the parser checks it.
        _ => ("\\u".into(), 2),
    }
}

/// Copies the number or word at the start of `rest`, and writes null for a number that is not finite. Returns
/// the number of bytes read.
fn repair_scalar(rest: &str, repaired: &mut String) -> usize {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
    let scalar = &rest[..end];
    let finite = scalar.parse::<f64>().is_ok_and(f64::is_finite);
    let known = matches!(scalar, "true" | "false" | "null");
    let not_finite = matches!(scalar.trim_start_matches(['-', '+']), "NaN" | "Infinity" | "inf" | "nan")
        || scalar.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && scalar.parse::<f64>().is_ok();
    repaired.push_str(if !known && !finite && not_finite { "null" } else { scalar });
    end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn invalid_json_with_a_clear_meaning_is_read() {
        let cases: [(&[u8], Value); 12] = [
            (b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
            (b"\n\n: keep-alive\n\n: keep-alive\n{\"a\":1}\n", json!({"a": 1})),
            (
                br#"{"a":NaN,"b":-Infinity,"c":Infinity,"d":1e999,"e":-1e999}"#,
                json!({"a":null,"b":null,"c":null,"d":null,"e":null}),
            ),
            (br#"{"a":"x\ud800y"}"#, json!({"a": "x\u{fffd}y"})),
            (br#"{"a":"x\udc00\ud83d\ude00"}"#, json!({"a": "x\u{fffd}\u{1f600}"})),
            (br#"{"a":"\ud83d\\u0041"}"#, json!({"a": "\u{fffd}\\u0041"})),
            (b"{\"a\":\"x\ny\x00z\"}", json!({"a": "x\ny\u{0}z"})),
            (b"{\"a\":\"caf\xe9\"}", json!({"a": "caf\u{fffd}"})),
            (
                br#"{"NaN":"NaN, -Infinity and \"1e999\"","b":NaN}"#,
                json!({"NaN": "NaN, -Infinity and \"1e999\"", "b": null}),
            ),
            (br#"[1, -2.5e3, true, NaN]"#, json!([1, -2500.0, true, null])),
            ("{\"a\":\"caf\u{e9}\",\"b\":NaN}".as_bytes(), json!({"a": "caf\u{e9}", "b": null})),
            (br#"{"a":1,"a":2}"#, json!({"a": 2})),
        ];
        for (body, expected) in cases {
            assert_eq!(parse(body), Ok(expected), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn other_invalid_json_is_refused() {
        let deep = "[".repeat(100_000);
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES + 10));
        for body in [
            "",
            "  \n",
            ": keep-alive",
            "<html>",
            "{\"a\":1,}",
            "{\"a\":tru}",
            "{\"a\":\"x",
            "{\"a\":\"\\q\"}",
            "{\"a\":\"\\u12\"}",
            &deep,
            &many,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{}", &body[..body.len().min(40)]);
        }
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(count(&json!(13)), Some(13));
        assert_eq!(count(&json!(13.0)), Some(13));
        for value in [json!(13.5), json!(-1), json!("13"), json!(1e300), json!(null)] {
            assert_eq!(count(&value), None);
        }
    }
}
