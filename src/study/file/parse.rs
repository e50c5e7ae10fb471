//! Parses a study file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::finding::{Finding, Findings, Located};
use super::section::Section;
use super::study_file::{ClosedModel, OpenModels, REPORTS, StudyCalibration, StudyDesign, StudyFile};
use super::syntax::Repaired;
use crate::corpus::DesignSettings;
use crate::disk;
use crate::error::{Error, Result};
use crate::model::parse_bytes;
use crate::seed;
use crate::study::card::{FEATURES, TARGET};

/// Maximum number of example sets, and of queries, of a design.
const MOST_SIZE: u64 = 256;
/// Default number of concurrent requests.
const CONCURRENCY: u64 = 8;
/// Maximum number of concurrent requests.
const MOST_CONCURRENCY: u64 = 1000;

impl StudyFile {
    /// Reads a study file. Paths in the file are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::StudyFile`] with every mistake: texts without quotes, unknown keys, and
    /// values of the wrong type or out of range; or with the first other syntax error.
    pub fn read(path: &Path) -> Result<Self> {
        let (file, found) = Self::read_all(path)?;
        if found.is_empty() { Ok(file) } else { Err(Findings::of(found).into_error(path)) }
    }

    /// Parses a study file from its text.
    ///
    /// # Errors
    /// [`Error::StudyFile`] with every mistake, as for [`StudyFile::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let (file, found) = Self::parse_all(path, text)?;
        if found.is_empty() { Ok(file) } else { Err(Findings::of(found).into_error(path)) }
    }

    /// Reads a study file and its mistakes, so that the caller can report further mistakes at the same time.
    /// A value with a mistake is replaced by the default.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::StudyFile`] for a file that is not TOML.
    pub fn read_all(path: &Path) -> Result<(Self, Vec<Finding>)> {
        let text = disk::read_text(path).map_err(|source| {
            let source = match source.kind() {
                ErrorKind::NotFound => {
                    io::Error::new(ErrorKind::NotFound, "there is no such file; `surmise init` writes one")
                }
                _ => source,
            };
            Error::Read { path: path.into(), source }
        })?;
        Self::parse_all(path, &text)
    }

    fn parse_all(path: &Path, text: &str) -> Result<(Self, Vec<Finding>)> {
        let Repaired { text, found, is_toml } = Repaired::of(text);
        let findings = Findings::new(&text);
        found.into_iter().for_each(|Finding { line, reason }| findings.add(line, reason));
        // After any syntax error except missing quotes, the recovered values may differ from the values in
        // the file.
        if !is_toml {
            return Err(findings.into_error(path));
        }
        let (table, _) = DeTable::parse_recoverable(&text);
        let top = Section::new("", 1, table.get_ref(), &findings);
        let file = whole(path, &text, &top, &findings);
        top.finish();
        Ok((file, findings.into_found()))
    }
}

fn whole(path: &Path, text: &str, top: &Section, findings: &Findings) -> StudyFile {
    let folder = path.parent().unwrap_or(Path::new(""));
    let max_memory = top.text("max_memory").and_then(|memory| {
        let bytes = parse_bytes(&memory.value);
        bytes.map_err(|reason| findings.add(memory.line, format!("`max_memory`: {reason}"))).ok()
    });
    let closed = top.sections("closed").iter().map(|section| closed(section, folder, findings)).collect();
    let file = StudyFile {
        path: path.into(),
        text: text.to_owned(),
        sha256: seed::sha256_hex(text.as_bytes()),
        name: top.text("name").map_or_else(|| disk::file_stem(path), |name| name.value),
        output: top.text("output").map(|output| folder.join(output.value)),
        seed: top.whole("seed", 0..=i64::MAX as u64).unwrap_or(0),
        max_memory_bytes: max_memory,
        design: design(top, folder, findings),
        open: top.sections("open").iter().map(open).collect(),
        closed,
        calibration: calibration(top),
        reports: reports(top),
    };
    if file.open.is_empty() && !top.is_misspelt("open") {
        findings.add(1, "there is no [[open]] table; add one that lists the open models and their family");
    }
    // Two closed models with the same id would share a result folder.
    for (at, closed) in file.closed.iter().enumerate() {
        let name = disk::id_in_file_names(&closed.id);
        if let Some(other) = file.closed[..at].iter().find(|of| disk::id_in_file_names(&of.id) == name) {
            let reason = match other.id == closed.id {
                true => format!("two closed models are called {}; give one of them an `id`", closed.id),
                false => {
                    format!("{} and {} would share a result folder; change one `id`", other.id, closed.id)
                }
            };
            findings.add(closed.line, reason);
        }
        if closed.id.starts_with('.') || closed.id.len() > LONGEST_ID {
            let reason = format!(
                "`{:.40}` cannot be the name of a folder: set an `id` of at most {LONGEST_ID} bytes that \
                 does not begin with a dot",
                closed.id
            );
            findings.add(closed.line, reason);
        }
    }
    file
}

fn design(top: &Section, folder: &Path, findings: &Findings) -> StudyDesign {
    let default = DesignSettings::default();
    let section = top.section("design");
    let Some(section) = section else {
        if !top.is_misspelt("design") {
            let reason = "there is no [design] table; add one that lists the corpora, such as \
                          corpora = [\"countries\"]";
            findings.add(1, reason);
        }
        return StudyDesign {
            corpora: vec![],
            shots: default.shots,
            sets: default.sets,
            queries: default.queries,
            form: Located { line: 1, value: default.form.name.into() },
            random_init: false,
            tasks: vec![],
        };
    };
    if let Some(estimand) = section.text("estimand").filter(|estimand| estimand.value != "semantic") {
        let reason = format!(
            "`estimand` must be semantic, but is {}; for the positional estimand, run `surmise measure \
             --estimand positional`",
            estimand.value
        );
        findings.add(estimand.line, reason);
    }
    let at_folder = |names: Vec<Located<String>>| -> Vec<Located<String>> {
        names.into_iter().map(|name| within(folder, name)).collect()
    };
    let corpora = at_folder(section.texts("corpora").unwrap_or_default());
    if corpora.is_empty() && !section.is_misspelt("corpora") {
        findings.add(section.line, "[design] lists no corpora; add some, such as corpora = [\"countries\"]");
    }
    let form = Located { line: section.line, value: default.form.name.to_owned() };
    let size = |key, least: u64, default: usize| {
        section.whole(key, least..=MOST_SIZE).map_or(default, |size| size as usize)
    };
    let design = StudyDesign {
        corpora,
        shots: section.wholes("shots").unwrap_or(default.shots),
        sets: size("sets", 4, default.sets),
        queries: size("queries", 3, default.queries),
        form: section.text("form").unwrap_or(form),
        random_init: section.switch("random_init").unwrap_or(false),
        tasks: at_folder(section.texts("tasks").unwrap_or_default()),
    };
    section.finish();
    design
}

fn open(section: &Section) -> OpenModels {
    let family = section.needed_text("family", "set a name for the training recipe that its models share");
    let models = section.texts("models").unwrap_or_default();
    if models.is_empty() && !section.is_misspelt("models") {
        section.add("[[open]] has no `models`: list names, folders, GGUF files or Hugging Face ids");
    }
    section.finish();
    OpenModels { family: family.value, models }
}

fn closed(section: &Section, folder: &Path, findings: &Findings) -> ClosedModel {
    let weights = section.text("weights");
    let provider = section.text("provider");
    let named = section.text("model");
    let model = match (&named, &weights) {
        (Some(model), _) => model.value.clone(),
        (None, Some(weights)) if provider.is_none() => last_part(&weights.value),
        _ => section.needed_text("model", "set the name of the model in the API").value,
    };
    let is_misspelt = ["provider", "weights"].iter().any(|key| section.is_misspelt(key));
    if provider.is_none() && weights.is_none() && !is_misspelt {
        section.add(
            "[[closed]] has neither `provider` (the wire format of its API) nor `weights` (served on this \
             machine); set one of them",
        );
    }
    let base_url = section.text("base_url");
    if let (Some(url), None) = (&base_url, &provider) {
        findings.add(url.line, "`base_url` needs a `provider`, such as openai-chat");
    }
    let batch = section.switch("batch").unwrap_or(false);
    if provider.is_none() && batch {
        section.add("`batch` needs a `provider`, such as openai-chat");
    }
    let closed = ClosedModel {
        line: section.line,
        id: section.text("id").map_or_else(|| model.clone(), |id| id.value),
        model,
        family: section.text("family").map(|family| family.value),
        params_b: section.number("params_b", 0.0),
        provider,
        base_url,
        budget_usd: section.number("budget_usd", 0.0),
        no_budget: section.switch("no_budget").unwrap_or(false),
        prices: section
            .text("prices")
            .map(|file| Located::<PathBuf> { line: file.line, value: folder.join(file.value) }),
        batch,
        concurrency: section.whole("concurrency", 1..=MOST_CONCURRENCY).unwrap_or(CONCURRENCY) as usize,
        max_tokens: section.whole("max_tokens", 1..=u32::MAX.into()).map(|tokens| tokens as u32),
        weights,
    };
    section.finish();
    closed
}

fn calibration(top: &Section) -> StudyCalibration {
    let default = |name: &str| Located { line: top.line, value: name.to_owned() };
    let features = || FEATURES.map(default).to_vec();
    let Some(section) = top.section("calibration") else {
        return StudyCalibration {
            target: default(TARGET),
            features: features(),
            sizes: false,
            level: LEVEL,
        };
    };
    let level = section.number("level", 0.0).unwrap_or(LEVEL);
    if level >= 1.0 {
        section.add(&format!("`level` must be below 1, but is {level}"));
    }
    if section.texts("features").is_some_and(|features| features.is_empty()) {
        section.add("`features` is empty; remove it to use the defaults");
    }
    let calibration = StudyCalibration {
        target: section.text("target").unwrap_or_else(|| default(TARGET)),
        features: section.texts("features").unwrap_or_else(features),
        sizes: section.switch("sizes").unwrap_or(false),
        level,
    };
    section.finish();
    calibration
}

/// Maximum length of a model id in bytes. The id is also the name of a folder.
const LONGEST_ID: usize = 100;
/// Default nominal coverage of intervals.
const LEVEL: f64 = 0.9;

fn reports(top: &Section) -> Vec<Located<String>> {
    let default = || REPORTS.map(|name| Located { line: 1, value: name.to_owned() }).to_vec();
    top.texts("reports").unwrap_or_else(default)
}

/// The path of `name` relative to the folder of the study file if such a file exists; otherwise `name`
/// itself.
fn within(folder: &Path, name: Located<String>) -> Located<String> {
    let path = folder.join(&name.value);
    match path.exists() {
        true => Located { line: name.line, value: path.to_string_lossy().into_owned() },
        false => name,
    }
}

/// Whether a name is a pattern with wildcards.
pub(in crate::study) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The last part of a path.
fn last_part(path: &str) -> String {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path).to_owned()
}
