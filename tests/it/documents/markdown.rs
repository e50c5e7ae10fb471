//! Reads the parts of Markdown that the tests need: code blocks, headings and links.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern"));
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`+[^`]+`+").expect("a pattern"));

/// A block of code, with the line before its fence.
#[derive(Debug, PartialEq)]
pub struct Block {
    pub before: String,
    pub language: String,
    pub lines: Vec<String>,
}

/// The lines outside of code blocks, and the code blocks.
pub fn parts(text: &str) -> (Vec<&str>, Vec<Block>) {
    let (mut prose, mut blocks, mut open): (Vec<&str>, Vec<Block>, bool) = (vec![], vec![], false);
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                let before = prose.last().copied().unwrap_or_default().to_owned();
                blocks.push(Block { before, language: language.trim().to_owned(), lines: vec![] });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => blocks.last_mut().expect("an open block").lines.push(line.to_owned()),
            (None, false) => prose.push(line),
        }
    }
    (prose, blocks)
}

/// The targets of all links and images of a page, except in code.
pub fn links(text: &str) -> Vec<String> {
    let prose = parts(text).0.join("\n");
    let plain = CODE.replace_all(&prose, "");
    LINK.captures_iter(&plain).map(|found| found[1].to_owned()).collect()
}

/// The anchors of a page's headings, as forges and mdBook generate them.
pub fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = parts(text).0.into_iter().filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then_some(title.trim())
    });
    let anchors = headings.map(|title| {
        let keep = |c: char| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        };
        let anchor: String = title.to_lowercase().chars().filter_map(keep).collect();
        let n = seen.entry(anchor.clone()).and_modify(|n| *n += 1).or_insert(0);
        if *n == 0 { anchor } else { format!("{anchor}-{n}") }
    });
    anchors.collect()
}

#[test]
fn links_anchors_and_blocks_are_found() {
    let prose = "# A title: `b = .2`\n[a](b.md#c) `[x](y)` ![p](q.svg)\n## Two\n## Two\n<!-- m -->\n";
    let text = &format!("{prose}```sh\n[no](z)\n# no\n```\n");
    assert_eq!(links(text), ["b.md#c", "q.svg"]);
    assert_eq!(anchors(text), ["a-title-b--2", "two", "two-1"]);
    let block = Block {
        before: "<!-- m -->".into(),
        language: "sh".into(),
        lines: vec!["[no](z)".into(), "# no".into()],
    };
    assert_eq!(parts(text).1, [block]);
}
