//! The first study file of a folder: commented, and runnable as it stands.

use super::scan::FoundModel;

/// A study of the embedded models, with one hidden member of each family.
pub const EMBEDDED: &str = include_str!("../../../calibration/study.toml");

/// A study file of models that were found, grouped by family.
pub fn of_models(models: &[FoundModel]) -> String {
    let mut families: Vec<&str> = models.iter().map(|model| model.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let mut text = String::from(HEAD);
    for family in families {
        text.push_str(&format!("[[open]]\nfamily = {}\nmodels = [\n", quoted(family)));
        for model in models.iter().filter(|model| model.family == family) {
            text.push_str(&format!("    {},\n", quoted(&model.path.to_string_lossy())));
        }
        text.push_str("]\n\n");
    }
    text + CLOSED
}

/// A text as TOML writes it, which escapes as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const HEAD: &str = "\
# A study. `surmise plan study.toml` shows what it takes, `surmise run study.toml` does what is missing.

# Memory that all tasks together may take [default: what is free]
# max_memory = \"8G\"

[design]
# Names from `surmise list corpora`, or CSV files with a column `entity` and two or more relations
corpora = [\"countries\", \"animals\"]
# Numbers of examples in a prompt
shots = [1, 4]
# Example sets and queries of each corpus: the time to ask a model grows with their product
sets = 8
queries = 8

# The families are guesses from the names: a family is a recipe, of which sizes differ.
# A calibration wants several families of several sizes: add open models you know of. The embedded ones are
# small and cost little: family = \"minigpt\", models = [\"minigpt-?\"] and the same of minillama.

";

const CLOSED: &str = "\
# The model behind an API. The key is read from the environment.
# [[closed]]
# model = \"gpt-4.1-mini\"
# provider = \"openai-chat\"
# budget_usd = 2.0
# prices = \"prices.toml\"
# family = \"gpt-4.1\"
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::file::StudyFile;

    #[test]
    fn templates_are_study_files() {
        let embedded = StudyFile::parse("study.toml".as_ref(), EMBEDDED).expect("a study");
        assert!(!embedded.open.is_empty() && !embedded.closed.is_empty());
        let model = |path: &str, family: &str| FoundModel { path: path.into(), family: family.into() };
        let models = [model("b\"x-1b", "b"), model("a-1b", "a"), model("a-2b", "a")];
        let text = of_models(&models);
        let study = StudyFile::parse("study.toml".as_ref(), &text).expect("a study");
        let named: Vec<&str> =
            study.open.iter().flat_map(|open| &open.models).map(|model| model.value.as_str()).collect();
        assert_eq!(named, ["a-1b", "a-2b", "b\"x-1b"]);
    }
}
