//! Combines markup, style, script and data into one file.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::style::RGBColor;
use regex::Regex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::data::{ESCAPED, cut, size};
use super::folder::ResultFiles;
use super::items::items;
use super::limits::{LARGEST, Limits};
use super::sources::Sources;
use super::{answers, calibrations, predictions, profiles, spend, study};
use crate::collect::secrets::Secrets;
use crate::error::Result;
use crate::report::draw::{diverging, viridis};

const MARKUP: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = concat!(
    include_str!("assets/elements.js"),
    include_str!("assets/tables.js"),
    include_str!("assets/figures.js"),
    include_str!("assets/heat.js"),
    include_str!("assets/answers.js"),
    include_str!("assets/sections.js"),
    include_str!("assets/start.js"),
);
/// Scale factors of the limits, tried in order until single answers have enough space.
const SHARES: [f64; 4] = [1.0, 0.7, 0.5, 0.3];
/// Maximum number of problems that the page lists.
const MOST_PROBLEMS: usize = 60;
/// Minimum space for single answers, in bytes.
const FOR_ANSWERS: usize = 250_000;

/// Matches the user name and password in a URL.
static CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(://)[^/\s@"'\\]+@"#).expect("a valid pattern"));

/// The page of a results folder.
#[derive(Debug)]
pub struct Page {
    data: Value,
    title: String,
    inputs: Vec<PathBuf>,
    problems: Vec<String>,
}

/// Makes the page of a results folder. Unreadable files are left out and listed as problems.
///
/// # Errors
/// [`Error::Read`](crate::Error::Read) if the folder cannot be listed;
/// [`Error::Parameter`](crate::Error::Parameter) if it contains no results.
pub fn page(folder: &Path) -> Result<Page> {
    let files = ResultFiles::of(folder)?;
    // Resolve the path to get the name of the folder, because the path may be `.`.
    let full = folder.canonicalize().unwrap_or_else(|_| folder.into());
    let name = full.file_name().map_or_else(|| "results".into(), |name| name.to_string_lossy().into_owned());
    let mut made = sections(folder, &files, &name, SHARES[0]);
    for share in &SHARES[1..] {
        if size(&made.data) + FOR_ANSWERS > LARGEST {
            made = sections(folder, &files, &name, *share);
        }
    }
    let Sections { sources, mut data, limits, title } = made;
    // Make the list of files last, because reading answers adds files to it.
    let left = LARGEST.saturating_sub(size(&data) + limits.files);
    data["answers"]["items"] = items(&files.answers, &sources, left);
    data["files"] = sources.table().within(limits.files, "the folder").json();
    let problems = sources.problems();
    data["problems"] =
        json!(problems.iter().take(MOST_PROBLEMS).map(|text| cut(text, 600)).collect::<Vec<_>>());
    Ok(Page { data, title, inputs: sources.inputs(), problems })
}

/// All sections of a page except single answers and the list of files.
struct Sections {
    sources: Sources,
    data: Value,
    limits: Limits,
    title: String,
}

fn sections(folder: &Path, files: &ResultFiles, name: &str, share: f64) -> Sections {
    let (sources, limits) = (Sources::new(folder), Limits::of(share));
    let (title, study) = study::study(files, &sources, &limits, name);
    let data = json!({
        "title": title,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "study": study,
        "predictions": predictions::sections(files, &sources, &limits),
        "profiles": profiles::profiles(files, &sources, &limits),
        "calibrations": calibrations::calibrations(files, &sources, &limits),
        "spend": spend::spend(files, &sources, &limits),
        "answers": answers::answers(files, &sources, &limits),
        "viridis": colours(&viridis),
        "diverging": colours(&|share| diverging(2.0 * share - 1.0)),
    });
    // Observations appear only in the list of files, so read them for their hash.
    files.observations.iter().for_each(|path| drop(sources.bytes(path)));
    Sections { sources, data, limits, title }
}

/// The colours of the figures, from the smallest value to the largest.
fn colours(colour: &dyn Fn(f64) -> RGBColor) -> Vec<String> {
    let hex = |at: u32| {
        let RGBColor(r, g, b) = colour(f64::from(at) / 64.0);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    (0..=64).map(hex).collect()
}

impl Page {
    /// The page as HTML. Equal folders give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.html(None).into_bytes()
    }

    /// The page for a server. Its script polls the version of the folder and requests [`Self::data`] when the
    /// version differs from `version`.
    pub fn to_live_bytes(&self, version: &str) -> Vec<u8> {
        self.html(Some(version)).into_bytes()
    }

    /// The data of the page as JSON.
    pub fn data(&self) -> String {
        let text = self.data.to_string();
        let text = CREDENTIALS.replace_all(&text, "${1}***@");
        // Results should contain no keys, but redact everything that looks like the key of a known provider.
        Secrets::new("").redact_text(&text).into_owned()
    }

    /// The input files.
    pub fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }

    /// Files and values that were left out, with the reasons.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn html(&self, live_version: Option<&str>) -> String {
        // The policy allows only this script, and no requests to other servers.
        let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
        let connect = if live_version.is_some() { "'self'" } else { "'none'" };
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; \
             connect-src {connect}; base-uri 'none'; form-action 'none'"
        );
        let data = self.data().replace('<', ESCAPED);
        let live = live_version.map(|version| format!(" data-live=\"{}\"", escaped(version)));
        let parts = [
            ("{{policy}}", policy.as_str()),
            ("{{title}}", &escaped(&self.title)),
            ("{{style}}", STYLE),
            ("{{live}}", live.as_deref().unwrap_or_default()),
            ("{{data}}", &data),
            ("{{script}}", SCRIPT),
        ];
        fill(MARKUP, &parts)
    }
}

/// Replaces the placeholders of a template, once each and in order, so that inserted text is not replaced
/// again.
fn fill(template: &str, parts: &[(&str, &str)]) -> String {
    let (mut text, mut rest) = (String::new(), template);
    for (place, value) in parts {
        let Some((before, after)) = rest.split_once(place) else { continue };
        text.push_str(before);
        text.push_str(value);
        rest = after;
    }
    text + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
