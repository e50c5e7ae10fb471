//! Checks the source of a chat template before parsing. The parser is recursive, so deep nesting or long
//! chains of operators could overflow its stack. Also replaces the tags that only transformers supports.

/// Maximum length of a source in bytes. Published templates have up to a few tens of thousands.
const LONGEST: usize = 1 << 20;
/// Maximum number of tags.
const MOST_TAGS: usize = 5000;
/// Maximum number of words and symbols in one tag.
const MOST_WORDS: usize = 3000;

/// Tags with which transformers marks the text of the model for training, each with a replacement. The tags
/// and their replacements do not change the prompt.
const MARKS: [(&str, &str); 2] = [("generation", "if true"), ("endgeneration", "endif")];

/// Checks a source, and returns the source to parse.
///
/// # Errors
/// A description of the part that is too long.
pub(super) fn checked(source: &str) -> Result<String, String> {
    if source.len() > LONGEST {
        return Err(format!("it has {} bytes, which exceeds the limit of {LONGEST}", source.len()));
    }
    let mut rest = source;
    let (mut tags, mut open) = (0, 0);
    let (mut text, mut copied) = (String::with_capacity(source.len()), 0);
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        let end = match rest.bytes().next() {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => continue,
        };
        tags += 1;
        if tags > MOST_TAGS {
            return Err(format!("it has more than {MOST_TAGS} tags"));
        }
        rest = &rest[1..];
        if end == "#}" {
            rest = rest.split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        if end == "%}"
            && let Some(inside) = after_tag(rest, "raw")
        {
            rest = after_raw(inside);
            continue;
        }
        for (name, instead) in MARKS {
            if end == "%}" && after_tag(rest, name).is_some() {
                let at = source.len() - rest.len();
                let at = at + rest.find(name).unwrap_or(0);
                text.push_str(&source[copied..at]);
                text.push_str(instead);
                copied = at + name.len();
            }
        }
        let (words, length) = tag(rest, end, &mut open);
        if words > MOST_WORDS {
            let line = source[..source.len() - rest.len()].matches('\n').count() + 1;
            return Err(format!("its tag in line {line} has more than {MOST_WORDS} words and symbols"));
        }
        rest = &rest[length..];
    }
    text.push_str(&source[copied..]);
    Ok(text)
}

/// The text after the tag `name`, where `text` follows a `{%`. `None` if `text` does not begin with this tag
/// or if the tag has arguments.
fn after_tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let spaces = |c: char| c.is_ascii_whitespace();
    let text = text.strip_prefix(['-', '+']).unwrap_or(text).trim_start_matches(spaces);
    let text = text.strip_prefix(name)?.trim_start_matches(spaces);
    text.strip_prefix(['-', '+']).unwrap_or(text).strip_prefix("%}")
}

/// The text after the `{% endraw %}` of a raw block.
fn after_raw(mut text: &str) -> &str {
    while let Some((_, rest)) = text.split_once("{%") {
        text = rest;
        if let Some(after) = after_tag(rest, "endraw") {
            return after;
        }
    }
    ""
}

/// The number of words and symbols in a tag up to its end, and its length in bytes. A quoted string counts as
/// one symbol. `open` counts the open brackets: as in the parser, a tag ends only where no bracket is open.
fn tag(text: &str, end: &str, open: &mut i64) -> (usize, usize) {
    let (mut words, mut in_word) = (0, false);
    let mut quote = None;
    let mut letters = text.char_indices();
    while let Some((at, c)) = letters.next() {
        match quote {
            Some(open) => {
                if c == '\\' {
                    letters.next();
                } else if c == open {
                    quote = None;
                }
                continue;
            }
            None if *open == 0 && text[at..].starts_with(end) => return (words, at + end.len()),
            None => {}
        }
        let is_word = c.is_alphanumeric() || c == '_';
        if !(c.is_whitespace() || is_word && in_word) {
            words += 1;
        }
        in_word = is_word;
        match c {
            '"' | '\'' => quote = Some(c),
            '(' | '[' | '{' => *open += 1,
            ')' | ']' | '}' => *open -= 1,
            _ => {}
        }
    }
    (words, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_without_end_are_refused_and_long_texts_are_not() {
        let long = format!("{{{{ '{}}}}}\\'' }}}} {}", "word ".repeat(10_000), "text. ".repeat(10_000));
        let check = |source: &str| checked(source).map(|text| text == source);
        assert_eq!(check(&long), Ok(true));
        assert_eq!(check("{# {{ #} { {% if a %}{{ b }}{% endif %}"), Ok(true));
        let raw =
            format!("{{%- raw -%}} {{{{ {} {{%+ endraw %}} {{{{ {{'a': {{}}}} }}}}", "-".repeat(10_000));
        assert_eq!(check(&raw), Ok(true));
        for source in [
            format!("{{{{ {}true }}}}", "not ".repeat(100_000)),
            format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
            format!("\n{{{{ a{} }}}}", "~a".repeat(100_000)),
            format!("{{{{ a{} }}}}", "|trim".repeat(100_000)),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(100_000)),
            format!("{{{{ [{{'a': {{}}}}, {}1] }}}}", "-".repeat(100_000)),
            format!("{{% raw %}}{{{{ '{{% endraw %}}{{{{ {}1 }}}}", "-".repeat(100_000)),
            format!("{{% raw %}}{{{{ {{% endraw%}}{{{{ {}1 }}}}", "-".repeat(100_000)),
        ] {
            assert!(checked(&source).is_err(), "{source:.40}");
        }
    }

    #[test]
    fn marks_for_training_have_no_effect() {
        let source = "{% raw %}{% generation %}{% endraw %}{{ '{% generation %}' }}{%- generation -%} a \
                      {% endgeneration %}{# {% generation %} #}{{ generation }}";
        let text = "{% raw %}{% generation %}{% endraw %}{{ '{% generation %}' }}{%- if true -%} a \
                    {% endif %}{# {% generation %} #}{{ generation }}";
        assert_eq!(checked(source).as_deref(), Ok(text));
    }
}
