//! The questions to a hidden model, as task files, so that the client collects them like any other.

use std::path::{Path, PathBuf};

use rand::Rng;
use rand::seq::index::sample;
use serde_json::{Value, json};

use super::settings::BlindSettings;
use crate::collect::Completion;
use crate::corpus::Category;
use crate::disk;
use crate::error::Result;
use crate::seed;

/// The two questions about a series: what follows the whole of it, and what follows its last entity alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeriesQuestions {
    pub corpus: String,
    /// Id of the item with the whole series.
    pub series: String,
    /// Id of the item with the last entity alone.
    pub alone: String,
}

/// The files of questions in a folder.
pub(crate) struct Questions {
    /// One file per corpus: every relation at every number of shots, the right answer beside a wrong one.
    pub choices: Vec<PathBuf>,
    /// Series and lone entities, of which the next token is asked.
    pub context: PathBuf,
    /// The questions about each series in that file.
    pub series: Vec<SeriesQuestions>,
    /// Beginnings of texts.
    pub beginnings: PathBuf,
}

impl Questions {
    /// Draws and writes them.
    ///
    /// # Errors
    /// Those of [`Category::load`] and [`Completion::draw`]; [`crate::Error::Write`].
    pub fn write(settings: &BlindSettings, folder: &Path) -> Result<Self> {
        // A corpus may be called as the files beside them are.
        let of_corpora = folder.join("choices");
        disk::make_folder(&of_corpora)?;
        let (mut choices, mut context, mut series_questions, mut beginnings) =
            (vec![], vec![], vec![], vec![]);
        for name in &settings.corpora {
            let category = Category::load(name)?;
            let path = of_corpora.join(format!("{}.jsonl", category.name));
            lines(&path, &choice_items(&category, settings)?)?;
            choices.push(path);
            series(&category, settings, &mut context, &mut series_questions)?;
            let named =
                |entity: &String| json!({"id": format!("{}/{entity}", category.name), "prompt": entity});
            beginnings.extend(category.entities.iter().map(named));
        }
        let file = |name: &str| folder.join(name);
        lines(&file("context.jsonl"), &context)?;
        lines(&file("beginnings.jsonl"), &beginnings)?;
        Ok(Self {
            choices,
            context: file("context.jsonl"),
            series: series_questions,
            beginnings: file("beginnings.jsonl"),
        })
    }
}

/// The questions of the in-context task with a wrong answer beside the right one: the log-probability of the
/// right one is what is wanted.
fn choice_items(category: &Category, settings: &BlindSettings) -> Result<Vec<Value>> {
    let task = Completion::draw(category, settings.task_shots, settings.items, settings.seed)?;
    let mut items = vec![];
    let mut rng = seed::stream("blind", &format!("choices/{}", category.name), settings.seed);
    for (n, list) in task.lists.iter().enumerate() {
        let relation = category.relations.iter().find(|relation| relation.name == list.relation);
        let answers = relation.map_or(&[][..], |relation| &relation.answers);
        for (shots, (span, (_, gold))) in list.answers.iter().zip(&list.pairs).enumerate() {
            let wrong: Vec<&String> =
                answers.iter().filter(|a| a.to_lowercase() != gold.to_lowercase()).collect();
            if wrong.is_empty() {
                continue;
            }
            let question = format!("{}/{}/{n}", category.name, list.relation);
            items.push(json!({
                "id": format!("{question}/{shots}"),
                "prompt": list.text[..span.start].trim_end(),
                "answer": gold,
                "choices": [gold, wrong[rng.random_range(0..wrong.len())]],
                "shots": shots,
                "question": question,
            }));
        }
    }
    Ok(items)
}

/// Series as the corpora of profiles have them, of another draw, up to their last entity; and every last
/// entity alone.
fn series(
    category: &Category,
    settings: &BlindSettings,
    context: &mut Vec<Value>,
    series_questions: &mut Vec<SeriesQuestions>,
) -> Result<()> {
    let mut rng = seed::stream("blind", &format!("series/{}", category.name), settings.seed);
    let n = category.entities.len();
    let mut lone = vec![false; n];
    for number in 0..settings.context_windows {
        let drawn = sample(&mut rng, n, settings.shots.min(n)).into_vec();
        let text: Vec<&str> = drawn.iter().map(|&i| category.entities[i].as_str()).collect();
        let last = drawn[drawn.len() - 1];
        let alone = format!("{}/alone/{last}", category.name);
        let series = format!("{}/series/{number}", category.name);
        context.push(json!({"id": series, "prompt": text.join(", ")}));
        if !std::mem::replace(&mut lone[last], true) {
            context.push(json!({"id": alone, "prompt": category.entities[last]}));
        }
        series_questions.push(SeriesQuestions { corpus: category.name.clone(), series, alone });
    }
    Ok(())
}

fn lines(path: &Path, items: &[Value]) -> Result<()> {
    disk::write(path, items.iter().map(|item| format!("{item}\n")).collect::<String>().as_bytes())
}
