//! Finds the numbers of a text.

use super::fractions::FRACTIONS;
use super::surroundings;
use super::value::Value;

/// Words after a number that multiply it by a power of ten.
const SCALES: [(&str, i32); 10] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("millions", 6),
    ("mn", 6),
    ("billion", 9),
    ("billions", 9),
    ("bn", 9),
    ("trillion", 12),
    ("trillions", 12),
];
/// Maximum number of digits. Longer sequences are not read as numbers.
const MOST_DIGITS: usize = 400;

/// A number in a text, or something that only looks like a number: a date, a time, a range.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: Option<Value>,
    /// Whether the number is part of a quantity that cannot be read as a number: a root, a multiple of π, a
    /// pair, a bound.
    is_part: bool,
}

/// The last number of a text. `None` if there is no number, or the last number is one of two alternatives ("5
/// or 6").
pub(super) fn last(text: &str) -> Option<Value> {
    pick(text, |readable| readable.len().checked_sub(1))
}

/// The first number of a text. `None` if there is no number, or the first number is one of two alternatives.
pub(super) fn first(text: &str) -> Option<Value> {
    pick(text, |readable| (!readable.is_empty()).then_some(0))
}

/// The only number of a text; `None` if the text has several numbers or none.
pub(super) fn only(text: &str) -> Option<Value> {
    let found = numbers(text);
    match <[Found; 1]>::try_from(found) {
        Ok([one]) => one.value,
        Err(_) => None,
    }
}

fn pick(text: &str, which: impl Fn(&[&Found]) -> Option<usize>) -> Option<Value> {
    let found = numbers(text);
    let readable: Vec<&Found> =
        found.iter().filter(|number| number.value.is_some() || number.is_part).collect();
    let at = which(&readable)?;
    let is_joined = |a: &Found, b: &Found| {
        // "between 41 and 43"
        if text.get(..a.start).is_some_and(|before| before.trim_end().to_lowercase().ends_with("between")) {
            return text.get(a.end..b.start).is_some_and(|between| between.trim().starts_with("and"));
        }
        let between = text.get(a.end..b.start).unwrap_or_default().trim().trim_start_matches(',').trim();
        matches!(
            between,
            "or" | "to" | "-" | "oder" | "ou" | "bis" | "~" | "\u{e0}" | "o" | "или" | "or maybe"
        )
    };
    let neighbours = readable[at.saturating_sub(1)..readable.len().min(at + 2)].windows(2);
    if { neighbours }.any(|pair| is_joined(pair[0], pair[1])) {
        return None;
    }
    readable[at].value.clone()
}

/// The numbers of a text, in order.
pub(super) fn numbers(text: &str) -> Vec<Found> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let (mut found, mut i) = (vec![], 0);
    while i < chars.len() {
        let scan = Scan { text, chars: &chars };
        if !scan.begins(i) {
            i += 1;
            continue;
        }
        let (end, value) = scan.number(i);
        let place = |k: usize| chars.get(k).map_or(text.len(), |(at, _)| *at);
        let is_result =
            !surroundings::is_precision(scan.rest(end)) && !surroundings::is_set_apart(&text[..place(i)]);
        if scan.is_quantity(i) && is_result {
            let (start, end) = (place(i), place(end));
            let is_part = surroundings::is_part(&text[..start], &text[end..]);
            found.push(Found { start, end, value: value.filter(|_| !is_part), is_part });
        }
        i = end.max(i + 1);
    }
    found
}

struct Scan<'a> {
    text: &'a str,
    chars: &'a [(usize, char)],
}

impl Scan<'_> {
    fn at(&self, i: usize) -> Option<char> {
        self.chars.get(i).map(|(_, c)| *c)
    }

    fn before(&self, i: usize, back: usize) -> Option<char> {
        i.checked_sub(back).and_then(|i| self.at(i))
    }

    fn is_digit(&self, i: usize) -> bool {
        self.at(i).is_some_and(|c| c.is_ascii_digit())
    }

    fn rest(&self, i: usize) -> &str {
        self.chars.get(i).map_or("", |(at, _)| &self.text[*at..])
    }

    fn fraction(&self, i: usize) -> Option<f64> {
        let c = self.at(i)?;
        FRACTIONS.iter().find(|(one, ..)| *one == c).map(|(_, over, under)| over / under)
    }

    fn begins(&self, i: usize) -> bool {
        let is_point = self.at(i) == Some('.')
            && self.is_digit(i + 1)
            && !self.before(i, 1).is_some_and(char::is_alphanumeric);
        self.is_digit(i) || is_point || self.fraction(i).is_some()
    }

    /// Whether the digits at `i` are a quantity rather than part of a name such as B12 or COVID-19.
    fn is_quantity(&self, i: usize) -> bool {
        let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphabetic() && c < '\u{e00}');
        let (last, but_last) = (self.before(i, 1), self.before(i, 2));
        !(is_letter(last) || matches!(last, Some('_' | '^')) || last == Some('-') && is_letter(but_last))
    }

    /// Whether a minus sign, or a word for it, precedes `i`.
    fn is_negative(&self, i: usize) -> bool {
        let mut k = i;
        while self.before(k, 1).is_some_and(|c| matches!(c, '$' | '\u{20ac}' | '\u{a3}' | '\u{a5}')) {
            k -= 1;
        }
        if self.before(k, 1) == Some('-') {
            return self.before(k, 2).is_none_or(|c| !c.is_alphanumeric() && !matches!(c, ')' | '%'));
        }
        let before = self.chars.get(k).map_or("", |(at, _)| self.text[..*at].trim_end());
        let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        // "10 minus 5" is a difference.
        let is_first =
            !before[..before.len() - word.len()].trim_end().ends_with(|c: char| c.is_ascii_digit());
        is_first && ["minus", "negative"].iter().any(|sign| word.eq_ignore_ascii_case(sign))
    }

    /// The end of the number at `i`, and its value.
    fn number(&self, i: usize) -> (usize, Option<Value>) {
        let sign = if self.is_negative(i) { -1.0 } else { 1.0 };
        let of =
            |number: f64, is_percent: bool| Some(Value { number: sign * number, digits: None, is_percent });
        if let Some(fraction) = self.fraction(i) {
            return (i + 1, of(fraction, false));
        }
        let (mut end, body) = self.body(i);
        let is_joined = body.contains([':', '-']) || body.matches('/').count() > 1;
        if let (false, Some((over, under))) = (is_joined, body.split_once('/')) {
            let parts =
                plain_digits(over).zip(plain_digits(under)).and_then(|(a, b)| Some((float(&a)?, float(&b)?)));
            let value =
                parts.filter(|(_, under)| *under != 0.0).and_then(|(over, under)| of(over / under, false));
            return self.with_percent(end, value);
        }
        let digits = if is_joined { None } else { plain_digits(&body) };
        let Some(number) = digits.as_deref().and_then(float) else { return (end, None) };
        // A mixed number: 1½, 1 1/2.
        let part = self.fraction(end).map(|part| (end + 1, part)).or_else(|| self.mixed(end, &body));
        if let Some((after, part)) = part {
            return self.with_percent(after, of(number + part, false));
        }
        let mut scale = None;
        if let Some((after, power)) = self.power(end) {
            (end, scale) = (after, Some(power));
        } else if let Some((after, exponent)) = self.exponent(end) {
            // Powers such as 10^6, 10⁶ and 2^10.
            return (after, if number == 0.0 { None } else { of(number.powi(exponent), false) });
        } else if let Some((after, power)) = self.scale_word(end, i) {
            (end, scale) = (after, Some(power));
        }
        if let Some(power) = scale {
            let number = digits.as_deref().and_then(|digits| format!("{digits}e{power}").parse().ok());
            return self.with_percent(end, number.and_then(|number| of(number, false)));
        }
        // A number followed by letters and digits is part of a name: 0x1F, 3D2.
        let unit = self.rest(end).split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if unit.is_ascii() && unit.contains(|c: char| c.is_ascii_digit()) {
            return (end + unit.chars().count(), None);
        }
        let digits = digits.map(|digits| if sign < 0.0 { format!("-{digits}") } else { digits });
        let value = Value { number: sign * number, digits, is_percent: false };
        self.with_percent(end, Some(value))
    }

    /// The digits from `i` on, with the marks between them, and where they end.
    fn body(&self, i: usize) -> (usize, String) {
        let (mut end, mut body, mut is_spaced) = (i, String::new(), false);
        while body.len() < MOST_DIGITS {
            match self.at(end) {
                Some(c) if c.is_ascii_digit() => body.push(c),
                Some(c @ ('.' | ',' | '\'' | '_' | ':' | '/' | '-')) if self.is_digit(end + 1) => {
                    body.push(c);
                }
                Some('\u{2044}') if self.is_digit(end + 1) => body.push('/'),
                // A blank separates groups of three digits.
                Some(' ') if self.is_group(end + 1) && (is_spaced || has_room(&body)) => is_spaced = true,
                // The bar of a fraction may have blanks around it.
                Some(' ')
                    if self.at(end + 1) == Some('/')
                        && self.at(end + 2) == Some(' ')
                        && self.is_digit(end + 3) =>
                {
                    body.push('/');
                    end += 2;
                }
                _ => break,
            }
            end += 1;
        }
        (end, body)
    }

    /// Whether exactly three digits follow.
    fn is_group(&self, i: usize) -> bool {
        (i..i + 3).all(|k| self.is_digit(k)) && !self.is_digit(i + 3)
    }

    /// The fraction after a whole number: 1 1/2.
    fn mixed(&self, end: usize, body: &str) -> Option<(usize, f64)> {
        if self.at(end) != Some(' ') || !body.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if let Some(part) = self.fraction(end + 1) {
            return Some((end + 2, part));
        }
        let (after, part) = self.is_digit(end + 1).then(|| self.body(end + 1))?;
        let (over, under) = part.split_once('/')?;
        let (over, under) = (over.parse::<f64>().ok()?, under.parse::<f64>().ok()?);
        (over < under).then(|| (after, over / under))
    }

    /// A power of ten: `e3`, `E-3`, `×10^3`, `x 10³`.
    fn power(&self, end: usize) -> Option<(usize, i32)> {
        if matches!(self.at(end), Some('e' | 'E')) {
            return self.integer(end + 1);
        }
        let mut k = end + usize::from(self.at(end) == Some(' '));
        if !matches!(self.at(k), Some('\u{d7}' | 'x' | '*' | '\u{22c5}' | '\u{b7}')) {
            return None;
        }
        k += 1;
        k += usize::from(self.at(k) == Some(' '));
        if self.at(k) != Some('1') || self.at(k + 1) != Some('0') || self.is_digit(k + 2) {
            return None;
        }
        self.exponent(k + 2)
    }

    /// An exponent: `^3`, `³`.
    fn exponent(&self, end: usize) -> Option<(usize, i32)> {
        if self.at(end) == Some('^') {
            return self.integer(end + 1);
        }
        const RAISED: &str = "\u{2070}\u{b9}\u{b2}\u{b3}\u{2074}\u{2075}\u{2076}\u{2077}\u{2078}\u{2079}";
        let sign = if self.at(end) == Some('\u{207b}') { -1 } else { 1 };
        let (mut k, mut number) = (end + usize::from(sign < 0), None);
        while let Some(digit) = self.at(k).and_then(|c| RAISED.chars().position(|one| one == c)) {
            let next = number.unwrap_or(0_i32).saturating_mul(10).saturating_add(digit as i32);
            (k, number) = (k + 1, Some(next));
        }
        number.filter(|number| *number <= 400).map(|number| (k, sign * number))
    }

    fn integer(&self, i: usize) -> Option<(usize, i32)> {
        let sign = match self.at(i) {
            Some('-') => -1,
            _ => 1,
        };
        let start = i + usize::from(matches!(self.at(i), Some('-' | '+')));
        let digits = (start..start + 4).take_while(|k| self.is_digit(*k)).count();
        let end = start + digits;
        let number: i32 =
            self.chars.get(start..end)?.iter().map(|(_, c)| *c).collect::<String>().parse().ok()?;
        (number <= 400 && !self.at(end).is_some_and(char::is_alphanumeric)).then_some((end, sign * number))
    }

    /// A word or letter that scales a number: "million", "k", or "m" and "b" after amounts of money.
    fn scale_word(&self, end: usize, start: usize) -> Option<(usize, i32)> {
        let blank = usize::from(self.at(end) == Some(' '));
        let word = self.rest(end + blank).split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let length = word.chars().count();
        let scale = SCALES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, power)| *power);
        let is_money =
            self.before(start, 1).is_some_and(|c| matches!(c, '$' | '\u{20ac}' | '\u{a3}' | '\u{a5}'));
        let letter = match (word, blank) {
            ("k" | "K", 0) => Some(3),
            ("m" | "M", 0) if is_money => Some(6),
            ("b" | "B", 0) if is_money => Some(9),
            _ => None,
        };
        scale.or(letter).map(|power| (end + blank + length, power))
    }

    fn with_percent(&self, end: usize, value: Option<Value>) -> (usize, Option<Value>) {
        let rest = self.rest(end);
        let bare = rest.trim_start_matches(' ');
        let blanks = rest.len() - bare.len();
        let sign =
            ["%", "percent", "per cent", "pct"].iter().find(|sign| bare.starts_with(**sign) && blanks < 2);
        match sign {
            Some(sign) => (end + blanks + sign.len(), value.map(|value| Value { is_percent: true, ..value })),
            None => (end, value),
        }
    }
}

/// Whether digits may be the first group of a number that is written in groups of three.
fn has_room(body: &str) -> bool {
    (1..=3).contains(&body.len()) && body.bytes().all(|byte| byte.is_ascii_digit()) && !body.starts_with('0')
}

fn float(digits: &str) -> Option<f64> {
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The digits of a number without separators, with a decimal point. `None` if a separator is at an invalid
/// position.
fn plain_digits(body: &str) -> Option<String> {
    let body: String = if body.contains(['\'', '_']) {
        let (whole, rest) = body.split_at(body.find(['.', ',']).unwrap_or(body.len()));
        if !is_grouped(&whole.replace('_', "'"), '\'') {
            return None;
        }
        whole.replace(['\'', '_'], "") + rest
    } else {
        body.to_owned()
    };
    let (dots, commas) = (body.matches('.').count(), body.matches(',').count());
    let decimal = match (dots, commas) {
        (0, 0) => return Some(body),
        (1, 0) => '.',
        (0, 1) => {
            let (whole, part) = body.split_once(',')?;
            // 1,000 is a thousand; 0,125 and 1,5 have decimals.
            let is_thousands = part.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            if is_thousands { '.' } else { ',' }
        }
        (0, _) => '.',
        (_, 0) => ',',
        _ if body.rfind('.') > body.rfind(',') => '.',
        _ => ',',
    };
    let group = if decimal == '.' { ',' } else { '.' };
    if body.matches(decimal).count() > 1 {
        return None;
    }
    let (whole, part) = body.split_once(decimal).unwrap_or((&body, ""));
    if part.contains(group) || !is_grouped(whole, group) {
        return None;
    }
    let whole = whole.replace(group, "");
    let whole = if whole.is_empty() { "0".to_owned() } else { whole };
    Some(if part.is_empty() { whole } else { format!("{whole}.{part}") })
}

/// Whether a mark separates groups of three digits. The Indian system is also accepted: groups of two digits,
/// and a last group of three.
fn is_grouped(whole: &str, mark: char) -> bool {
    let mut groups = whole.split(mark);
    let (Some(first), Some(last)) = (groups.next(), whole.rsplit(mark).next()) else { return false };
    let n = whole.matches(mark).count();
    if n == 0 {
        return true;
    }
    let middle = || whole.split(mark).skip(1).take(n - 1);
    let is_first_fine = (1..=3).contains(&first.len());
    is_first_fine
        && last.len() == 3
        && (middle().all(|g| g.len() == 3) || first.len() <= 2 && middle().all(|g| g.len() == 2))
}
