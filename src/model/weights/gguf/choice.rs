//! Which GGUF file of a folder or a repository is the model.

/// Whether a file is a GGUF by its name.
pub(in crate::model) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// The one model among the names in a folder; `None` if there is no GGUF file in it.
///
/// # Errors
/// The reason why it cannot be said which: there are several, or they are parts of one.
pub(in crate::model) fn choose<S: AsRef<str>>(names: &[S]) -> Result<Option<&str>, String> {
    let names = names.iter().map(AsRef::as_ref).filter(|name| !name.contains('/') && is_gguf(name));
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    // The image part of a model stands beside it.
    if names.iter().any(|name| !is_projector(name)) {
        names.retain(|name| !is_projector(name));
    }
    if let Some(part) = names.iter().find(|name| is_part(name)) {
        return Err(format!(
            "has a model in several GGUF files, {part} and others; join them with llama.cpp \
             (`llama-gguf-split --merge {part} OUT.gguf`) and give OUT.gguf"
        ));
    }
    match names.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => Err(format!("has several GGUF files; give one of them: {}", several.join(", "))),
    }
}

fn is_projector(name: &str) -> bool {
    name.to_ascii_lowercase().contains("mmproj")
}

/// Whether a name ends in `-00001-of-00003.gguf`, as parts of a model do.
fn is_part(name: &str) -> bool {
    let number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let stem = &name[..name.len() - ".gguf".len()];
    let (rest, of) = stem.rsplit_once("-of-").unwrap_or_default();
    number(of) && rest.rsplit_once('-').is_some_and(|(_, part)| number(part))
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
        let parts = choose(&["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"]).expect_err("parts");
        assert!(parts.contains("--merge a-00001-of-00002.gguf"), "{parts}");
        assert!(!is_part("a-1-of-2.gguf") && !is_part(".gguf"));
    }
}
