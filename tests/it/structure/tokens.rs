//! Splits a Rust source into words and signs, without comments, literals and test modules.

/// Words (identifiers, numbers) and signs; `::` is one sign.
pub fn tokens(source: &str) -> Vec<String> {
    let bytes = source.as_bytes();
    let (mut out, mut i) = (vec![], 0);
    while i < bytes.len() {
        let rest = &source[i..];
        let first = bytes[i];
        if rest.starts_with("//") {
            i += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            i += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(length) = raw_string(rest) {
            i += length;
        } else if first == b'"' {
            i += string(rest);
        } else if first == b'\'' {
            i += character(rest);
        } else if rest.starts_with("::") {
            out.push("::".to_owned());
            i += 2;
        } else if first.is_ascii_alphanumeric() || first == b'_' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            out.push(rest[..length].to_owned());
            i += length;
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            if !first.is_ascii_whitespace() {
                out.push(rest[..length].to_owned());
            }
            i += length;
        }
    }
    without_tests(&out)
}

/// The length of a raw string that begins here: `r"..."`, `br#"..."#`.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then(|| {
        let begin = rest.len() - after.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len())
    })
}

fn string(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut i = 1;
    while i < bytes.len() && bytes[i] != b'"' {
        i += if bytes[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(rest.len())
}

/// The length of a character literal, or 1 for the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            rest[2..].find('\'').map_or(1, |at| at + 3 + usize::from(rest[2..].starts_with('\'')))
        }
        Some((at, c)) if rest[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 1,
    }
}

/// Leaves out `#[cfg(test)] mod name { ... }` and other items with `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut out, mut i) = (vec![], 0);
    while i < tokens.len() {
        let marked = tokens[i..].iter().zip(MARK).filter(|(token, mark)| token == mark).count() == MARK.len();
        if !marked {
            out.push(tokens[i].clone());
            i += 1;
            continue;
        }
        // The item ends with its braces, or with a semicolon before any brace.
        let mut depth = 0;
        i += MARK.len();
        while i < tokens.len() {
            let token = tokens[i].as_str();
            i += 1;
            match token {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && (token == "}" || token == ";") {
                break;
            }
        }
    }
    out
}

#[test]
fn comments_literals_and_test_modules_are_no_tokens() {
    let source =
        "use a::b; // c::d\nlet x = \"e::f\"; let y = r#\"g\"::h\"#; let z = '\\''; let w: &'a str = 'q';
        #[cfg(test)] mod tests { use i::j; fn k() {} } fn l() {}";
    let joined = tokens(source).join(" ");
    assert_eq!(joined, "use a :: b ; let x = ; let y = ; let z = ; let w : & a str = ; fn l ( ) { }");
}
