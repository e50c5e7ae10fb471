//! Turns the factorial design of semantic emergence into questions to an API. The prompts are the same texts
//! whose residual streams [`crate::emergence::semantic`] reads. The server answers each prompt briefly. If
//! the server scores prompts, each prompt is also sent once for each relation, with the answer of that
//! relation appended.

use serde::{Deserialize, Serialize};

use super::task::{Task, TaskKind};
use crate::collect::item::Item;
use crate::corpus::factorial::PromptText;
use crate::corpus::{Category, DesignSettings, FactorialDesign, PromptForm};
use crate::error::{Error, Result};
use crate::provider::{Capabilities, Prompt};

/// Where the log-probabilities of the answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogprobSource {
    /// The server returns the log-probabilities of the tokens of a prompt.
    Echo,
    /// The server lists the most likely first tokens of its answer.
    Top,
    /// The server returns no log-probabilities.
    None,
}

impl LogprobSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Echo, Self::Top, Self::None];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Top => "top",
            Self::None => "none",
        }
    }

    /// A description in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Echo => {
                "The server scores the prompt with each relation's answer appended; this is exact, but needs \
                 one more request per relation"
            }
            Self::Top => {
                "The server lists the most likely first tokens of its answer; the log-probabilities of other \
                 tokens stay unknown"
            }
            Self::None => "No log-probabilities",
        }
    }

    /// The best source that a wire format supports.
    pub fn of(can: &Capabilities) -> Self {
        match (can.echo, can.top_logprobs) {
            (true, _) => Self::Echo,
            (false, Some(_)) => Self::Top,
            (false, None) => Self::None,
        }
    }
}

/// How the factorial designs of a run are drawn and asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticTask {
    /// Numbers of examples in a prompt.
    pub shots: Vec<usize>,
    /// Number of example sets, S.
    pub sets: usize,
    /// Number of queries, X.
    pub queries: usize,
    /// The name of the prompt form.
    pub form: String,
    /// Where log-probabilities come from.
    pub logprobs_from: LogprobSource,
}

impl SemanticTask {
    /// Draws the design of each category, given by name or file. The design depends only on the category, the
    /// settings and the seed, so it equals the design that `surmise measure` draws with the same settings.
    /// `normal` normalises an answer for comparison.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the wire format does not support the design, a size is out of range, or two
    /// categories have the same name; [`Error::Corpus`] if a category yields no design.
    pub fn designs(
        &self,
        corpora: &[String],
        seed: u64,
        (provider, can): (&str, &Capabilities),
        normal: &dyn Fn(&str) -> String,
    ) -> Result<Vec<FactorialDesign>> {
        let fault = |name: &'static str, reason: String| Err(Error::Parameter { name, reason });
        let Some(form) = PromptForm::find(&self.form) else {
            let known = PromptForm::names().collect::<Vec<_>>().join(", ");
            return fault("--form", format!("must be one of {known}, but is {}", self.form));
        };
        if form.is_chat() && !can.chats {
            let reason = format!(
                "{} is a form for chat models, but {provider} completes plain text; use --form arrow, or a \
                 provider of chat models",
                form.name
            );
            return fault("--form", reason);
        }
        let missing = match self.logprobs_from {
            LogprobSource::Echo if !can.echo => Some("return the log-probabilities of a prompt"),
            LogprobSource::Top if can.top_logprobs.is_none() => Some("list the most likely tokens"),
            _ => None,
        };
        if let Some(missing) = missing {
            let best = LogprobSource::of(can).name();
            let reason = format!(
                "is {}, but {provider} does not {missing}; use --logprobs-from {best}, or omit the flag",
                self.logprobs_from.name()
            );
            return fault("--logprobs-from", reason);
        }
        let settings =
            DesignSettings { sets: self.sets, queries: self.queries, shots: self.shots.clone(), seed, form };
        let mut designs: Vec<FactorialDesign> = vec![];
        for name in corpora {
            let design = FactorialDesign::draw(&Category::load(name)?, &settings)?;
            if designs.iter().any(|other| other.category == design.category) {
                return fault(
                    "--corpus",
                    format!("{} is given twice; rename one of the files", design.category),
                );
            }
            check(&design, normal)?;
            designs.push(design);
        }
        Ok(designs)
    }

    /// The tasks of a design: a task with the prompts and, if the server scores prompts, a task with the
    /// answers appended.
    pub fn tasks(&self, design: &FactorialDesign) -> Vec<Task> {
        let short = self.task(design, TaskKind::Graded);
        match self.logprobs_from {
            LogprobSource::Echo => vec![short, self.task(design, TaskKind::Likelihoods)],
            LogprobSource::Top | LogprobSource::None => vec![short],
        }
    }

    fn task(&self, design: &FactorialDesign, kind: TaskKind) -> Task {
        let is_scored = kind == TaskKind::Likelihoods;
        let name = format!("semantic/{}{}", design.category, if is_scored { "/answers" } else { "" });
        let item = |shots: usize, prompt: PromptText| {
            let PromptText { relation, set, query, text, .. } = prompt;
            let query = &design.queries[query];
            let answers = query.answers.clone().unwrap_or_default();
            let question = format!("{name}/{}/{}/{}", design.relations[relation], set + 1, query.entity);
            let boundary = if is_scored { text.chars().count() } else { 0 };
            let with = |answer: &String| Prompt::Text(text.clone() + &design.form.continuation(answer));
            Item {
                id: format!("{question}/{shots}"),
                task: name.clone(),
                shots,
                question,
                gold: answers.get(relation).cloned().into_iter().collect(),
                prompts: if is_scored {
                    answers.iter().map(with).collect()
                } else {
                    vec![Prompt::Text(text)]
                },
                choices: if is_scored { answers } else { vec![] },
                tolerance: None,
                boundary,
            }
        };
        let of_shots = |shots: &usize| {
            let shots = *shots;
            design.texts(shots).map(move |prompt| item(shots, prompt))
        };
        let items: Vec<Item> = design.shots.iter().flat_map(of_shots).collect();
        let stops = if is_scored { &[] } else { design.form.stops() };
        Task {
            name: name.clone(),
            sha256: design.sha256(),
            items: items.into(),
            stops: stops.iter().map(|stop| (*stop).to_owned()).collect(),
            kind,
            notes: vec![],
        }
    }
}

/// Returns an error if a stop sequence would truncate an answer, or if two relations have different answers
/// for fewer than two queries.
fn check(design: &FactorialDesign, normal: &dyn Fn(&str) -> String) -> Result<()> {
    let fault = |reason: String| Err(Error::Corpus { name: design.category.clone(), reason });
    let n = design.queries.len();
    for (p, relation) in design.relations.iter().enumerate() {
        let answers =
            || design.queries.iter().filter_map(|query| query.answers.as_ref()?.get(p).map(String::as_str));
        let cut = answers().find_map(|answer| {
            Some((answer, design.form.stops().iter().find(|stop| answer.contains(**stop))?))
        });
        if let Some((answer, stop)) = cut {
            return fault(format!(
                "column {relation} has the answer {answer:?}, but {stop:?} ends an answer in the form {}; \
                 choose another --form",
                design.form.name
            ));
        }
        for (q, other) in design.relations[..p].iter().enumerate() {
            let differ = |query: &&crate::corpus::factorial::Query| {
                query.answers.as_ref().is_some_and(|answers| normal(&answers[p]) != normal(&answers[q]))
            };
            let left = design.queries.iter().filter(differ).count();
            if left < 2 {
                return fault(format!(
                    "columns {other} and {relation} have different answers for only {left} of {n} queries, \
                     and at least 2 are needed; remove one of the columns, or raise --queries"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    fn task(form: &str, logprobs_from: LogprobSource) -> SemanticTask {
        SemanticTask { shots: vec![1, 2], sets: 4, queries: 3, form: form.into(), logprobs_from }
    }

    fn designs(task: &SemanticTask, corpora: &[&str], provider: &str) -> Result<Vec<FactorialDesign>> {
        let can = provider::find(provider).unwrap().capabilities();
        let corpora: Vec<String> = corpora.iter().map(|name| (*name).to_owned()).collect();
        task.designs(&corpora, 5, (provider, &can), &str::to_lowercase)
    }

    #[test]
    fn a_design_is_asked_once_for_answers_and_once_for_each_answer_that_is_scored() {
        let asked = task("arrow", LogprobSource::Echo);
        let design = designs(&asked, &["countries"], "openai-completions").unwrap().remove(0);
        let [short, scored] = <[Task; 2]>::try_from(asked.tasks(&design)).unwrap();
        let n_relations = design.relations.len();
        assert_eq!(short.items.len(), 2 * 3 * n_relations * 4);
        assert_eq!((scored.items.len(), scored.kind), (short.items.len(), TaskKind::Likelihoods));
        assert_ne!(short.name, scored.name);
        for number in 0..short.items.len() {
            let [one, other] = [&short, &scored].map(|task| task.items.get(number).unwrap());
            assert_eq!((&one.gold, other.prompts.len()), (&other.gold, n_relations));
            let Prompt::Text(prompt) = &one.prompts[0] else { panic!("a chat") };
            for (with, answer) in other.prompts.iter().zip(&other.choices) {
                assert_eq!(*with, Prompt::Text(format!("{prompt} {answer}")));
            }
            assert_eq!(other.boundary, prompt.chars().count());
        }
        assert_eq!(task("arrow", LogprobSource::Top).tasks(&design).len(), 1);
    }

    #[test]
    fn what_a_provider_cannot_do_and_what_tells_nothing_apart_is_refused() {
        let refused = |task: &SemanticTask, corpora: &[&str], provider: &str| {
            designs(task, corpora, provider).map(drop).map_err(|error| error.to_string()).unwrap_err()
        };
        let plain = task("arrow", LogprobSource::None);
        assert!(designs(&plain, &["countries", "animals"], "anthropic").is_ok());
        assert!(refused(&plain, &["countries", "countries"], "anthropic").contains("given twice"));
        let chat = refused(&task("chat", LogprobSource::None), &["countries"], "openai-completions");
        assert!(chat.contains("--form") && chat.contains("arrow"), "{chat}");
        let echo = refused(&task("arrow", LogprobSource::Echo), &["countries"], "openai-chat");
        assert!(echo.contains("--logprobs-from") && echo.contains("use --logprobs-from top"), "{echo}");
        assert!(
            refused(&task("arrow", LogprobSource::Top), &["countries"], "anthropic")
                .contains("use --logprobs-from none")
        );
        assert!(
            refused(&task("verse", LogprobSource::None), &["countries"], "gemini").contains("arrow, colon")
        );

        let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        let path = file.path().to_string_lossy().into_owned();
        let row =
            |i: usize| format!("e{i},St. a{i},{}\n", if i == 0 { "b".into() } else { format!("St. A{i}") });
        std::fs::write(file.path(), format!("entity,a,b\n{}", (0..7).map(row).collect::<String>())).unwrap();
        let equal = refused(&plain, &[&path], "anthropic");
        assert!(equal.contains("columns a and b") && equal.contains("at least 2 are needed"), "{equal}");
        let cut = refused(&task("sentence", LogprobSource::None), &[&path], "anthropic");
        assert!(cut.contains("\". \" ends an answer"), "{cut}");
    }
}
