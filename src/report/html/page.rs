//! The page: markup, style, script and data in one file.

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
/// Shares of the limits that are tried until single answers have room.
const SHARES: [f64; 4] = [1.0, 0.7, 0.5, 0.3];
/// Problems that are shown at most.
const MOST_PROBLEMS: usize = 60;
/// Bytes that single answers should have.
const FOR_ANSWERS: usize = 250_000;

/// A user and a password in a URL.
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

/// Makes the page of a results folder. Files that cannot be read are left out, and the page says so.
///
/// # Errors
/// [`Error::Read`](crate::Error::Read) if the folder cannot be listed;
/// [`Error::Parameter`](crate::Error::Parameter) if it holds no results.
pub fn page(folder: &Path) -> Result<Page> {
    let files = ResultFiles::of(folder)?;
    // The folder's own name: a path may be `.`.
    let full = folder.canonicalize().unwrap_or_else(|_| folder.into());
    let name = full.file_name().map_or_else(|| "results".into(), |name| name.to_string_lossy().into_owned());
    let mut made = sections(folder, &files, &name, SHARES[0]);
    for share in &SHARES[1..] {
        if size(&made.data) + FOR_ANSWERS > LARGEST {
            made = sections(folder, &files, &name, *share);
        }
    }
    let Sections { sources, mut data, limits, title } = made;
    // The list of files is complete when the answers are read.
    let left = LARGEST.saturating_sub(size(&data) + limits.files);
    data["answers"]["items"] = items(&files.answers, &sources, left);
    data["files"] = sources.table().within(limits.files, "the folder").json();
    let problems = sources.problems();
    data["problems"] =
        json!(problems.iter().take(MOST_PROBLEMS).map(|text| cut(text, 600)).collect::<Vec<_>>());
    Ok(Page { data, title, inputs: sources.inputs(), problems })
}

/// All of a page but single answers and the list of files.
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
    // Observations are in the list of files alone.
    files.observations.iter().for_each(|path| drop(sources.bytes(path)));
    Sections { sources, data, limits, title }
}

/// Colours from the least value to the largest, as the figures have them.
fn colours(colour: &dyn Fn(f64) -> RGBColor) -> Vec<String> {
    let hex = |at: u32| {
        let RGBColor(r, g, b) = colour(f64::from(at) / 64.0);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    (0..=64).map(hex).collect()
}

impl Page {
    /// The page as HTML; the same folder gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.html(None).into_bytes()
    }

    /// The page for a server. It asks for the version of the folder, and for [`Self::data`] when that is
    /// another one than `version`.
    pub fn to_live_bytes(&self, version: &str) -> Vec<u8> {
        self.html(Some(version)).into_bytes()
    }

    /// The data alone, as JSON.
    pub fn data(&self) -> String {
        let text = self.data.to_string();
        let text = CREDENTIALS.replace_all(&text, "${1}***@");
        // No key is expected in results; what looks like one of a known provider is hidden all the same.
        Secrets::new("").redact_text(&text).into_owned()
    }

    /// The files that were read.
    pub fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }

    /// What is left out, and why.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn html(&self, live_version: Option<&str>) -> String {
        // The browser runs this one script and no other, and asks for nothing elsewhere.
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

/// Fills the places of a template, once each and from the left, so that what is filled in stays as it is.
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
