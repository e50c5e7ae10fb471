//! Imports result files of OpenAI's simple-evals. `EVAL_MODEL_DATE_allresults.json` and the `.html` page
//! contain every example. `EVAL_MODEL_DATE.json` contains only the metrics.

use std::path::Path;

use serde_json::Value;

use super::answers::{Answers, grade, row};
use super::imported::{ImportOptions, Imported, SourceFile};
use super::importer::Importer;
use super::keys::KeyRedaction;
use super::opened::{Form, Opened};
use super::run_facts::{check_mean, check_whole, clipped, date, fault, model, shots};
use super::settings::Settings;
use crate::collect::results::ItemRow;
use crate::error::Result;
use crate::provider::json;

/// The importer for result files of simple-evals.
#[derive(Debug, Clone, Copy)]
pub struct SimpleEvals;

const NAME: &str = "simple-evals";
const ALL_RESULTS: &str = "_allresults";
/// The part of a file name that marks a run with `--debug`, which evaluates only a few examples.
const DEBUG: &str = "_DEBUG";
/// Names of evals that contain an underscore. In a file name, any other name of an eval ends at the first
/// underscore.
const LONG_NAMES: [&str; 3] = ["healthbench_hard", "healthbench_consensus", "healthbench_meta"];

impl Importer for SimpleEvals {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "EVAL_MODEL_DATE_allresults.json or EVAL_MODEL_DATE.html of OpenAI's simple-evals"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        let text = || String::from_utf8_lossy(file.bytes);
        match file.form {
            Form::Page => text().contains("<h1>Examples</h1>") && text().contains("class=\"message"),
            _ => file.has(&["score", "htmls"]) || file.has(&["score"]) && stem(file.path).is_some(),
        }
    }

    fn reads_beside(&self, path: &Path) -> bool {
        let is_other = !path.to_string_lossy().contains(ALL_RESULTS);
        is_other && stem(path).is_some() && beside(path).is_some()
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let path = file.path;
        let results = Results::read(file)?;
        if results.examples.is_empty() {
            let hint = "contains metrics, but not the number of examples; give the _allresults.json file or \
                        the .html page";
            return Err(fault(path, hint));
        }
        let name = stem(path);
        let (eval, named, at) = name.as_ref().map_or((None, None, None), |name| {
            (Some(name.eval.as_str()), Some(name.model.as_str()), date(&Value::String(name.date.clone())))
        });
        let is_debug = path.to_string_lossy().contains(DEBUG);
        check_whole(
            path,
            is_debug.then(|| "comes from a run with --debug, which evaluated only a few examples".into()),
            options,
        )?;
        let (mut all, mut keys) = (Imported::empty(), KeyRedaction::new());
        let model = model(path, named, options)?;
        let eval = eval.map_or_else(|| crate::disk::file_stem(path), Into::into);
        let shots = shots(path, None, options, &mut all);
        let mut rows = vec![];
        let n_items = period(&results.examples);
        if n_items < results.examples.len() {
            let n = results.examples.len() / n_items;
            all.notes.push(format!(
                "the {n_items} examples were asked {n} times; the repetitions are imported as replicates"
            ));
        }
        for (number, example) in results.examples.iter().enumerate() {
            let place = (number % n_items, number / n_items);
            let row = example_row(example, place, at.as_deref(), &mut keys);
            let row = row.ok_or_else(|| {
                let n = number + 1;
                fault(
                    path,
                    format!(
                        "example {n} has no score from 0 to 1, so the score of {eval} is not a share of \
                         correct answers"
                    ),
                )
            })?;
            rows.push(row);
        }
        let provider = NAME.into();
        let answers = Answers { provider, model, task: eval, shots, grader: NAME.into(), rows };
        // simple-evals counts empty answers as wrong, and the page rounds to three digits.
        let mean = answers.mean(|row| Some(row.credit.unwrap_or(0.0)));
        let mean = if results.is_rounded { mean.map(|mean| (mean * 1e3).round() / 1e3) } else { mean };
        let near = |stated: f64| mean.is_some_and(|mean| (mean - stated).abs() <= 1.01e-3);
        if !(results.is_rounded && results.score.is_some_and(near)) {
            check_mean(path, &answers.task, mean, results.score)?;
        }
        if results.n_metrics > 0 {
            let n = results.n_metrics;
            all.notes.push(format!(
                "{n} metrics other than the score are not imported, such as scores of parts of the eval or \
                 lengths of answers"
            ));
        }
        all.add(answers);
        let mut settings = Settings::default();
        settings.add("date", &name.map_or(Value::Null, |name| Value::String(name.date)));
        all.add_source(SourceFile::of(path, file.bytes), settings, &keys);
        Ok(all)
    }
}

/// The parts of a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileName {
    eval: String,
    model: String,
    /// Date and time in the format `2025-01-31 12:00:00`.
    date: String,
}

/// Parses `EVAL_MODEL_YYYYMMDD_HHMMSS` with any suffix.
fn stem(path: &Path) -> Option<FileName> {
    let stem = crate::disk::file_stem(path);
    let stem = stem.strip_suffix(ALL_RESULTS).unwrap_or(&stem);
    let stem = stem.strip_suffix(DEBUG).unwrap_or(stem);
    let (rest, time) = stem.rsplit_once('_')?;
    let (rest, day) = rest.rsplit_once('_')?;
    let is_number = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(time, 6) || !is_number(day, 8) {
        return None;
    }
    let long = LONG_NAMES.iter().find_map(|name| Some((*name, rest.strip_prefix(name)?.strip_prefix('_')?)));
    let (eval, model) = long.or_else(|| rest.split_once('_'))?;
    let (year, month, day) = (&day[..4], &day[4..6], &day[6..]);
    let date = format!("{year}-{month}-{day} {}:{}:{}", &time[..2], &time[2..4], &time[4..]);
    Some(FileName { eval: eval.into(), model: model.into(), date })
}

/// The path of the file with all results of the same run, if it is in the folder of the metrics file or page.
fn beside(path: &Path) -> Option<std::path::PathBuf> {
    let name = format!("{}{ALL_RESULTS}.json", crate::disk::file_stem(path));
    Some(path.with_file_name(name)).filter(|path| path.is_file())
}

/// The content of a results file, independent of its format.
struct Results {
    score: Option<f64>,
    is_rounded: bool,
    n_metrics: usize,
    /// The HTML text of each example.
    examples: Vec<String>,
}

impl Results {
    fn read(file: &Opened<'_>) -> Result<Self> {
        if *file.form == Form::Page {
            return Ok(Self::of_page(&String::from_utf8_lossy(file.bytes)));
        }
        let value = json::read(file.bytes)
            .map_err(|why| fault(file.path, format!("{why}; the file may be truncated")))?;
        let examples = value["htmls"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Self {
            score: value["score"].as_f64(),
            is_rounded: false,
            n_metrics: value["metrics"].as_object().map_or(0, serde_json::Map::len),
            examples: examples.map(Into::into).collect(),
        })
    }

    fn of_page(text: &str) -> Self {
        let (metrics, examples) = text.split_once("<h1>Examples</h1>").unwrap_or((text, ""));
        let cells =
            metrics.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap_or_default().trim());
        let cells: Vec<&str> = cells.collect();
        let score = cells.iter().position(|cell| *cell == "<b>Score</b>").and_then(|at| cells.get(at + 1));
        Self {
            score: score.and_then(|score| score.parse().ok()),
            is_rounded: true,
            n_metrics: (cells.len() / 2).saturating_sub(1),
            examples: examples
                .split("<h3>Prompt conversation</h3>")
                .skip(1)
                .map(|example| format!("<h3>Prompt conversation</h3>{example}"))
                .collect(),
        }
    }
}

/// The text after a label of an example, up to the end of the paragraph. Text from a model cannot contain a
/// label, because its angle brackets are escaped.
fn labelled(example: &str, label: &str) -> Option<String> {
    let (_, rest) = example.rsplit_once(&format!("<p>{label}: "))?;
    Some(unescaped(rest.split("</p>").next()?))
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", "\"").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

/// The text of the sampled message.
fn sampled(example: &str) -> Option<String> {
    let (_, rest) = example.split_once("<h3>Sampled message</h3>")?;
    let (_, text) = rest.split_once("<pre>")?;
    Some(unescaped(text.split("</pre>").next()?))
}

/// The number of different examples. Some evals ask all examples in several rounds, with the choices in a
/// different order in each round.
fn period(examples: &[String]) -> usize {
    let asked: Vec<Vec<&str>> = examples.iter().map(|example| lines_asked(example)).collect();
    let n = asked.len();
    let repeats = |m: &usize| n.is_multiple_of(*m) && (*m..n).all(|at| asked[at] == asked[at - m]);
    // If the prompts of all examples are equal, the file does not contain the actual prompts.
    if asked.windows(2).all(|pair| pair[0] == pair[1]) {
        return n;
    }
    (2..n).find(repeats).unwrap_or(n)
}

/// The lines of an example's prompt in alphabetical order, without the letters of choices. They are the same
/// for any order of the choices.
fn lines_asked(example: &str) -> Vec<&str> {
    let asked = example.split("<h3>Sampled message</h3>").next().unwrap_or_default();
    let bare = |line| {
        let line: &str = str::trim(line);
        let (letter, rest) = line.split_once(") ").unwrap_or(("", line));
        let is_letter = letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_letter { rest } else { line }
    };
    // The closing tag of the message follows the last choice on the same line.
    let mut lines: Vec<&str> =
        asked.lines().map(|line| line.trim_end().trim_end_matches("</pre>")).map(bare).collect();
    lines.sort_unstable();
    lines
}

fn example_row(
    example: &str,
    (number, replicate): (usize, usize),
    at: Option<&str>,
    keys: &mut KeyRedaction,
) -> Option<ItemRow> {
    let credit = match labelled(example, "Score")?.trim() {
        "True" => 1.0,
        "False" => 0.0,
        other => other.parse().ok().filter(|credit| (0.0..=1.0).contains(credit))?,
    };
    let id = number.to_string();
    let mut copy = |what: &str, text: &str| keys.copy(|| format!("example {id}, {what}"), &clipped(text));
    let text = sampled(example).unwrap_or_else(|| "unknown".into());
    let answer = labelled(example, "Extracted Answer").unwrap_or_default();
    let grade = grade(Some(credit), &text, &copy("answer", &answer), false);
    let gold: Vec<String> =
        labelled(example, "Correct Answer").iter().map(|text| copy("correct answer", text)).collect();
    Some(ItemRow {
        gold: serde_json::json!(gold).to_string(),
        collected_at: at.map(Into::into),
        ..row(&id, replicate, grade)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_taken_apart() {
        for (file, parts) in [
            ("mmlu_gpt-4o_20250131_120000.json", Some(("mmlu", "gpt-4o"))),
            ("math_o3-mini_high_20250131_120000_DEBUG_allresults.json", Some(("math", "o3-mini_high"))),
            ("healthbench_hard_gpt-5_20250131_120000.html", Some(("healthbench_hard", "gpt-5"))),
            ("mmlu_gpt-4o.json", None),
            ("é_20250131_12000é.json", None),
        ] {
            let read = stem(Path::new(file));
            let read = read.as_ref().map(|name| (name.eval.as_str(), name.model.as_str()));
            assert_eq!(read, parts, "{file}");
        }
    }
}
