//! Reads the imports of a file: its `use` lines, and the paths in its code.

use std::path::Path;

use super::tokens::tokens;

/// A file of the library.
#[derive(Debug)]
pub struct Module {
    /// Its path in the crate, such as `["mi", "estimators", "ksg"]`.
    pub path: Vec<String>,
    /// The leaves of its `use` lines.
    pub uses: Vec<Use>,
    /// Paths with two or more parts in its code.
    pub mentions: Vec<Vec<String>>,
}

/// One leaf of a `use` line.
#[derive(Debug)]
pub struct Use {
    /// The path as written, with `crate`, `self` or `super`.
    pub path: Vec<String>,
    /// Its name in this file.
    pub name: String,
    /// Whether it is re-exported (`pub use`).
    pub is_public: bool,
}

/// The module path of a file below `src`.
pub fn module_path(file: &Path) -> Vec<String> {
    let parts = file.with_extension("");
    let parts = parts.iter().map(|part| part.to_str().expect("UTF-8").to_owned());
    parts.filter(|part| part != "mod" && part != "lib").collect()
}

impl Module {
    /// Reads a file.
    pub fn new(path: Vec<String>, text: &str) -> Self {
        let tokens = tokens(text);
        let (mut uses, mut mentions, mut i, mut is_public) = (vec![], vec![], 0, false);
        while i < tokens.len() {
            match tokens[i].as_str() {
                "use" => {
                    let end = i + tokens[i..].iter().position(|token| token == ";").expect("a use line ends");
                    tree(&tokens[i + 1..end], &[], is_public, &mut uses);
                    i = end;
                }
                "pub" => {
                    is_public = true;
                    i += 1;
                    if tokens.get(i).is_some_and(|token| token == "(") {
                        i += tokens[i..].iter().position(|token| token == ")").map_or(0, |end| end + 1);
                    }
                    continue;
                }
                word if is_word(word) && i + 2 < tokens.len() && tokens[i + 1] == "::" => {
                    let mut named = vec![word.to_owned()];
                    while i + 2 < tokens.len() && tokens[i + 1] == "::" && is_word(&tokens[i + 2]) {
                        named.push(tokens[i + 2].clone());
                        i += 2;
                    }
                    if named.len() > 1 {
                        mentions.push(named);
                    }
                }
                _ => {}
            }
            is_public = false;
            i += 1;
        }
        Self { path, uses, mentions }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The leaves of `a::{b, c::d as e}` after the prefix `before`.
fn tree(tokens: &[String], before: &[String], is_public: bool, out: &mut Vec<Use>) {
    let mut path = before.to_vec();
    let mut i = 0;
    while i < tokens.len() {
        match tokens[i].as_str() {
            "{" => {
                // The braces contain whole trees, separated by commas at their own depth.
                let inner = &tokens[i + 1..tokens.len() - 1];
                let (mut depth, mut from) = (0, 0);
                for (at, token) in inner.iter().enumerate() {
                    match token.as_str() {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        "," if depth == 0 => {
                            tree(&inner[from..at], &path, is_public, out);
                            from = at + 1;
                        }
                        _ => {}
                    }
                }
                if from < inner.len() {
                    tree(&inner[from..], &path, is_public, out);
                }
                return;
            }
            "as" => {
                let name = tokens[i + 1].clone();
                out.push(Use { path, name, is_public });
                return;
            }
            "::" => {}
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        i += 1;
    }
    let name = path.last().cloned().unwrap_or_default();
    out.push(Use { path, name, is_public });
}

#[test]
fn every_leaf_of_a_use_line_is_read() {
    let module =
        Module::new(vec![], "pub(crate) use a::{self, b::{c, d as e}, f::*}; fn g() { h::i(a::b::C) }");
    let leaves: Vec<String> = module
        .uses
        .iter()
        .map(|u| format!("{}={}{}", u.path.join("::"), u.name, u8::from(u.is_public)))
        .collect();
    assert_eq!(leaves, ["a=a1", "a::b::c=c1", "a::b::d=e1", "a::f::*=*1"]);
    assert_eq!(module.mentions, [vec!["h", "i"], vec!["a", "b", "C"]]);
}
