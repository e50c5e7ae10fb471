//! Builds the prompts of free texts. The prompts have no right answer. The answers are stored, so that the
//! residual streams of a small model can be measured on them.

use rand::seq::index::sample;

use super::task::{Rendering, Task, TaskKind, TaskOptions};
use crate::collect::item::Item;
use crate::corpus::Category;
use crate::error::Result;
use crate::provider::Prompt;
use crate::seed;

/// The name of the task that collects free texts; `texts:FILE` reads the prompts of a file.
pub const TEXTS: &str = "texts";

/// The noun for an entity of each category.
const KINDS: [(&str, &str); 5] = [
    ("countries", "country"),
    ("animals", "animal"),
    ("colours", "colour"),
    ("numbers", "number"),
    ("cities", "city"),
];

/// Prompts for paragraphs about entities: `items` entities of every default category, sampled with the seed.
///
/// # Errors
/// [`crate::error::Error::Corpus`] if a category cannot be loaded.
pub(crate) fn built_in(options: &TaskOptions) -> Result<Task> {
    let mut items = vec![];
    for (name, kind) in KINDS {
        let category = Category::load(name)?;
        let mut rng = seed::stream("texts", name, options.seed);
        let n = category.entities.len();
        for i in sample(&mut rng, n, options.items.min(n)) {
            let entity = &category.entities[i];
            let prompt = match options.rendering {
                // A completion model receives the beginning of a text.
                Rendering::Text => format!("A paragraph about the {kind} {entity}.\n\n"),
                _ => format!("Write one paragraph of plain prose about the {kind} {entity}."),
            };
            items.push(item(format!("{TEXTS}/{name}/{entity}"), Prompt::Text(prompt)));
        }
    }
    let sha256 =
        seed::sha256_hex(items.iter().map(|item| format!("{}\n", item.id)).collect::<String>().as_bytes());
    Ok(Task {
        name: TEXTS.into(),
        sha256,
        items: items.into(),
        stops: vec![],
        kind: TaskKind::Texts,
        notes: vec![],
    })
}

fn item(id: String, prompt: Prompt) -> Item {
    Item {
        question: id.clone(),
        id,
        task: TEXTS.into(),
        shots: 0,
        prompts: vec![prompt],
        gold: vec![],
        choices: vec![],
        tolerance: None,
        boundary: 0,
    }
}
