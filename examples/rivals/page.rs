//! Writes the tables as Markdown, and the page that contains them.

use std::fmt::Write;
use std::path::Path;

use surmise::{Error, Result};

use crate::methods;
use crate::problem::Half;
use crate::summary::{LEAST_IN_REGIME, Summary, mean, single_rival};

/// The page around the tables.
const PAGE: &str = include_str!("page.md");
const PLACE: &str = "{tables}\n";
/// If surmise's error divided by the error of the best rival is above this, the problem counts as a loss.
const NEAR: f64 = 1.15;

/// Writes docs/results/rivals.md.
///
/// # Errors
/// [`Error::Write`].
pub fn write(tables: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results/rivals.md");
    let write = |path: &Path| {
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        std::fs::write(path, PAGE.replace(PLACE, tables))
    };
    write(&path).map_err(|source| Error::Write { path, source })
}

/// All tables: the problems of each half, the summary, the regimes, and every rival.
pub fn tables(summaries: &[(Half, Summary)]) -> String {
    let all: Vec<&Summary> = summaries.iter().map(|(_, summary)| summary).collect();
    let single = single_rival(&all);
    let mut text = String::new();
    let halves: Vec<(Half, Vec<&Summary>)> = [Half::Development, Half::Judging]
        .into_iter()
        .map(|half| (half, summaries.iter().filter(|(of, _)| *of == half).map(|(_, s)| s).collect()))
        .filter(|(_, of): &(_, Vec<&Summary>)| !of.is_empty())
        .collect();
    for (half, of) in &halves {
        let _ = writeln!(text, "## The {} half\n\n{}", half.name(), problems(of, single));
    }
    let _ = writeln!(text, "## Summary\n\n{}", totals(&halves, &all, single));
    let _ = writeln!(text, "## Intervals by regime\n\n{}", regimes(&all));
    let _ = writeln!(text, "## Every rival\n\n{}", rivals(&all));
    text
}

/// Formats a number with three decimals and without the zero before the point, or with two decimals from 1
/// on. NaN is a dash.
fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "-".into(),
        value if value.abs() >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.4}").replacen("0.", ".", 1),
    }
}

fn share(value: f64) -> String {
    if value.is_nan() { "-".into() } else { format!("{value:.2}").replacen("0.", ".", 1) }
}

fn problems(summaries: &[&Summary], single: usize) -> String {
    let name = methods::ALL[single].name();
    let mut text = format!(
        "| problem | rows fitted / predicted | surmise, all rows | refused | surmise, answered | best rival \
         | ratio | {name} | mean | 90 % held / width | stated |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for s in summaries {
        let best = s.best();
        let fitted = match s.fitted {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let _ = writeln!(
            text,
            "| {} | {fitted} / {} | {} | {} | {} | {} {} | {} | {} | {} | {} / {} | {} |",
            s.title,
            s.predicted,
            number(s.error),
            share(s.refused),
            number(s.error_answered),
            number(s.rivals[best]),
            methods::ALL[best].name(),
            share(s.error / s.rivals[best]),
            number(s.rivals[single]),
            number(s.rivals[0]),
            share(s.held),
            number(s.width),
            share(s.stated),
        );
    }
    text
}

fn totals(halves: &[(Half, Vec<&Summary>)], all: &[&Summary], single: usize) -> String {
    let mut text = format!(
        "| problems | error / that of {} | error / that of the best rival | at most {NEAR} | refused \
         | 90 % held | stated | least held by {LEAST_IN_REGIME} rows or more of a regime |\n\
         |---|---|---|---|---|---|---|---|\n",
        methods::ALL[single].name()
    );
    let named = halves.iter().map(|(half, of)| (half.name(), of.as_slice()));
    for (name, of) in named.chain((halves.len() > 1).then_some(("both", all))) {
        let to_best = |s: &Summary| s.error / s.rivals[s.best()];
        let near = of.iter().filter(|s| to_best(s) <= NEAR).count();
        let judged = of.iter().flat_map(|s| s.regimes.iter().map(move |regime| (s, regime)));
        let least = judged
            .filter(|(_, regime)| regime.n >= LEAST_IN_REGIME)
            .min_by(|a, b| a.1.held.total_cmp(&b.1.held))
            .map_or("-".into(), |(s, regime)| {
                format!("{} ({}, {})", share(regime.held), s.name, regime.regime)
            });
        let _ = writeln!(
            text,
            "| {name} ({}) | {} | {} | {near} of {} | {} | {} | {} | {least} |",
            of.len(),
            share(mean(of.iter().map(|s| s.error / s.rivals[single]))),
            share(mean(of.iter().map(|s| to_best(s)))),
            of.len(),
            share(mean(of.iter().map(|s| s.refused))),
            share(mean(of.iter().map(|s| s.held).filter(|held| !held.is_nan()))),
            share(mean(of.iter().map(|s| s.stated).filter(|stated| !stated.is_nan()))),
        );
    }
    text
}

fn regimes(summaries: &[&Summary]) -> String {
    let mut text =
        "| problem | regime | rows | 90 % held | stated | width |\n|---|---|---|---|---|---|\n".to_owned();
    for s in summaries {
        for regime in &s.regimes {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                s.name,
                regime.regime,
                regime.n,
                share(regime.held),
                share(regime.stated),
                number(regime.width),
            );
        }
    }
    text
}

fn rivals(summaries: &[&Summary]) -> String {
    let names: Vec<&str> = methods::ALL.iter().map(|rival| rival.name()).collect();
    let mut text =
        format!("| problem | surmise | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for s in summaries {
        let cells: Vec<String> = s.rivals.iter().map(|error| number(*error)).collect();
        let _ = writeln!(text, "| {} | {} | {} |", s.name, number(s.error), cells.join(" | "));
    }
    text
}
