//! Removes punctuation, except marks inside a number (`3.14`, `1:2`, `2026-01-02`), signs before a number,
//! and the marks of names such as `C++` and `C#`.

/// Removes the punctuation of a text. Symbols (`%`, `$`, `=`, `<`, `>`) do not count as punctuation.
pub fn remove(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let mut kept = String::with_capacity(text.len());
    for (i, c) in chars.iter().enumerate() {
        let (before, after) = (i.checked_sub(1), i + 1);
        let is_inside_number = is_digit(before) && is_digit(Some(after));
        let is_sign = matches!(c, '-' | '+')
            && is_digit(Some(after))
            && before.is_none_or(|at| chars[at].is_whitespace() || chars[at] == '(');
        match c {
            '.' | ',' | ':' | '/' | '-' | '\'' if is_inside_number => kept.push(*c),
            '-' | '+' if is_sign => kept.push(*c),
            // A hyphen, slash or dash separates words.
            '-' | '/' | '_' => kept.push(' '),
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | '`'
            | '|' | '~' | '*' | '^' | '\\' | '&' | '@' => {}
            '\u{a1}' | '\u{bf}' | '\u{b7}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{964}' => {}
            '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{30fb}' => {}
            c => kept.push(*c),
        }
    }
    kept
}
