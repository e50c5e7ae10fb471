//! Writes the hint for an unknown model name: what is wrong, the nearest names, and the accepted forms.

use std::path::{Path, PathBuf};

use super::embedded::embedded;
use super::hub;
use super::weights::gguf::is_gguf;
use crate::disk;
use crate::names;

/// The accepted forms of a model name, except an id on a hub.
const FORMS: &str = "give a folder with config.json, tokenizer.json and weights, a GGUF file";
/// Maximum number of models of a folder that a hint lists.
const MOST_LISTED: usize = 4;

/// The hint for an unknown model name.
pub(super) fn hint(name: &str) -> String {
    if hub::is_path(name, Path::new("")) || name.contains('/') {
        return of_path(name);
    }
    let known: Vec<&str> = embedded().map(|member| member.name).collect();
    let mut families: Vec<&str> = embedded().map(|member| member.family).collect();
    families.dedup();
    format!(
        "{}there is no such file or folder, and no embedded model of this name; {FORMS}, owner/name on a \
         hub, or a name from `surmise list models` (of the families {})",
        names::suggestion(name, known),
        families.join(", ")
    )
}

/// The hint for a path. It suggests the models in the parent folder whose names are nearest to the name in
/// the path, or else lists the first models in the parent folder.
fn of_path(name: &str) -> String {
    let path = Path::new(name);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there = models(folder);
    let stems: Vec<String> = there.iter().map(|path| disk::file_stem(path)).collect();
    let near = names::nearest(&disk::file_stem(path), stems.iter().map(String::as_str));
    let near: Vec<String> = (0..there.len())
        .filter(|&at| near.contains(&stems[at].as_str()))
        .map(|at| there[at].display().to_string())
        .collect();
    let what = if name.starts_with('~') {
        " (~ is not expanded here; write the whole path)".to_owned()
    } else if !folder.is_dir() {
        format!(", and no folder {}", folder.display())
    } else {
        String::new()
    };
    let next = match (near.as_slice(), there.as_slice()) {
        ([], []) => String::new(),
        ([], there) => {
            let listed: Vec<String> =
                there.iter().take(MOST_LISTED).map(|path| path.display().to_string()).collect();
            let more = if there.len() > MOST_LISTED { ", ..." } else { "" };
            let place = match folder == Path::new(".") {
                true => "this folder".into(),
                false => folder.display().to_string(),
            };
            format!("the models in {place} are {}{more}; ", listed.join(", "))
        }
        (near, _) => format!("did you mean {}? ", near.join(" or ")),
    };
    // A path such as `folder/name` can also be an id on a hub. The suffix `@main` marks it as an id.
    let is_like_id = name.matches('/').count() == 1 && !name.starts_with(['/', '.', '~']);
    let is_like_id = is_like_id && !name.contains('@') && !hub::is_file_name(name);
    let on_hub = if is_like_id { format!("{name}@main") } else { "owner/name".into() };
    format!("there is no such file or folder{what}; {next}{FORMS}, or {on_hub} for a model on a hub")
}

/// The models in a folder, sorted: its GGUF files, and its subfolders that contain a config.json.
fn models(folder: &Path) -> Vec<PathBuf> {
    let is_model = |path: &PathBuf| {
        let is_file = is_gguf(&path.to_string_lossy()) && path.is_file();
        is_file || path.join("config.json").is_file()
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let shown = |path: PathBuf| path.strip_prefix("./").map(Path::to_path_buf).unwrap_or(path);
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_model).map(shown).collect();
    found.sort();
    found
}
