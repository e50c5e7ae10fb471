//! Selects the GGUF file that contains the model, among the files of a folder or a repository.

use std::collections::BTreeSet;

use super::parts::PartName;

/// Whether a file name ends in `.gguf`.
pub(in crate::model) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// The name of the only GGUF model in a folder, or of its first part if the model has several parts; `None`
/// if the folder has no GGUF file. `names` are the names in the folder.
///
/// # Errors
/// Returns a message that lists the models if the folder has several.
pub(in crate::model) fn choose<S: AsRef<str>>(names: &[S]) -> Result<Option<&str>, String> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).filter(|name| !name.contains('/')).collect();
    match models(&names).as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => Err(format!("has several GGUF files; give one of them: {}", several.join(", "))),
    }
}

/// The GGUF models among some file names, sorted. A model in several parts is listed once, by its first part.
/// The image part of a model (mmproj) is left out unless it is the only GGUF file.
pub(in crate::model) fn models<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.iter().copied().filter(|name| is_gguf(name)).collect();
    names.sort_unstable();
    if names.iter().any(|name| !is_projector(name)) {
        names.retain(|name| !is_projector(name));
    }
    // Keep only the first listed part of each model; `sibling(1)` identifies the model.
    let mut seen = BTreeSet::new();
    names.retain(|name| PartName::parse(name).is_none_or(|part| seen.insert(part.sibling(1))));
    names
}

fn is_projector(name: &str) -> bool {
    name.to_ascii_lowercase().contains("mmproj")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_chosen_or_the_choice_is_left_to_the_user() {
        assert_eq!(choose(&["README.md", "x/y.gguf"]), Ok(None));
        assert_eq!(choose(&["mmproj-a.gguf", "a.Q4_K_M.gguf", "b.txt"]), Ok(Some("a.Q4_K_M.gguf")));
        assert_eq!(choose(&["mmproj-a.gguf"]), Ok(Some("mmproj-a.gguf")));
        let several = choose(&["b.GGUF", "a.gguf"]).expect_err("two");
        assert!(several.ends_with("give one of them: a.gguf, b.GGUF"), "{several}");
        let parts = ["a-00002-of-00002.gguf", "a-00001-of-00002.gguf", "mmproj.gguf"];
        assert_eq!(choose(&parts), Ok(Some("a-00001-of-00002.gguf")));
        assert_eq!(choose(&parts[..1]), Ok(Some("a-00002-of-00002.gguf")));
        let two = [parts[0], parts[1], "a-00001-of-00003.gguf", "b.gguf"];
        assert_eq!(models(&two), ["a-00001-of-00002.gguf", "a-00001-of-00003.gguf", "b.gguf"]);
    }
}
