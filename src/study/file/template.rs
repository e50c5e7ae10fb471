//! Writes the initial study file, with comments. `surmise run` accepts the file without changes.

use super::scan::FoundModel;

/// A study of the embedded models. One member of each family is hidden.
pub const EMBEDDED: &str = include_str!("../../../calibration/study.toml");

/// A study file of the models found on disk, grouped by family.
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

/// Quotes a string for TOML, which escapes strings like JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const HEAD: &str = "\
# A study. `surmise plan study.toml` shows its cost; `surmise run study.toml` runs the tasks that are not \
done.

# Memory limit for all tasks together [default: the free memory]
# max_memory = \"8G\"

[design]
# Names from `surmise list corpora`, or CSV files with a column `entity` and two or more relations
corpora = [\"countries\", \"animals\"]
# Numbers of examples in a prompt
shots = [1, 4]
# Example sets and queries of each corpus. The time per model is proportional to their product.
sets = 8
queries = 8

# The families are guessed from the names. The models of a family share a training recipe and differ in size.
# A calibration needs several families with models of several sizes: add open models that you know. The
# embedded models are small and cheap: family = \"minigpt\" with models = [\"minigpt-?\"], and likewise for
# minillama.

";

const CLOSED: &str = "\
# A closed model behind an API. The key is read from an environment variable.
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
