//! Removes LaTeX around a text: `$x$`, `\(x\)`, `\boxed{x}`, `\text{x}`.

/// Commands whose argument is the text itself.
const COMMANDS: [&str; 17] = [
    "\\boxed",
    "\\fbox",
    "\\framebox",
    "\\textbf",
    "\\textit",
    "\\textrm",
    "\\texttt",
    "\\textsf",
    "\\text",
    "\\mathrm",
    "\\mathbf",
    "\\mathsf",
    "\\mathit",
    "\\mathbb",
    "\\mathcal",
    "\\mbox",
    "\\operatorname",
];
const DELIMITERS: [(&str, &str); 4] = [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")];

/// The text inside one layer of LaTeX, if the layer surrounds the whole text.
pub fn inside(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("\\displaystyle").map_or(text, str::trim_start);
    for (open, close) in DELIMITERS {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.is_empty() && !inner.contains(close)) {
            return Some(inner.trim());
        }
    }
    let rest = COMMANDS.iter().find_map(|command| {
        let rest = text.strip_prefix(command)?.trim_start();
        rest.starts_with('{').then_some(rest)
    })?;
    let (inner, behind) = braced(rest)?;
    behind.trim().is_empty().then(|| inner.trim())
}

/// The content of the pair of braces at the beginning of a text, and the text after the pair.
pub fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((&text[1..at], &text[at + 1..]));
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The contents of every complete `\boxed{...}`, in order. If boxes are nested, only the outer one counts.
pub fn boxes(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (vec![], text);
    while let Some(at) = rest.find("\\boxed").or_else(|| rest.find("\\fbox")) {
        let command = if rest[at..].starts_with("\\boxed") { "\\boxed" } else { "\\fbox" };
        let behind = rest[at + command.len()..].trim_start();
        rest = match braced(behind) {
            Some((inner, behind)) => {
                found.push(inner.trim());
                behind
            }
            None => behind,
        };
    }
    found
}
