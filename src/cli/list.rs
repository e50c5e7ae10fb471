//! `surmise list`: the tables of what is built in, as tab-separated lines.

use std::fmt::Write;

use clap::{Args, ValueEnum};

use super::print;
use crate::calibration::candidates::{CandidateRole, registry as candidates};
use crate::collect::grading::registry as graders;
use crate::collect::tasks;
use crate::corpus::Category;
use crate::corpus::category::EMBEDDED;
use crate::error::Result;
use crate::import;
use crate::mi;
use crate::model::{Model, arch, embedded};
use crate::provider;
use crate::report;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// What to list
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Embedded models: name, family, sizes
    Models,
    /// Supported model architectures
    Architectures,
    /// Estimators of mutual information: name, kind of number, what it does, reference, cost, limits
    Estimators,
    /// Embedded corpora: name, number of entities, relations
    Corpora,
    /// APIs of closed models: name, base URL, environment variable that holds the key
    Providers,
    /// Tools whose results can be imported as scores, and their files
    Importers,
    /// Built-in tasks for closed models
    Tasks,
    /// Graders of answers: name with its argument, when an answer is right
    Graders,
    /// Reports: name, input file, tables and figures
    Reports,
    /// Regressions that a calibration selects from: name, role, minimum number of rows
    Candidates,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    let mut out = String::new();
    let mut line = |cells: &[&str]| writeln!(out, "{}", cells.join("\t")).unwrap_or_default();
    match flags.kind {
        Kind::Models => {
            for member in embedded() {
                let info = Model::load(member.name)?.info;
                let sizes =
                    format!("{} parameters, {} blocks, width {}", info.n_params, info.n_layers, info.d_model);
                line(&[member.name, member.family, &sizes]);
            }
        }
        Kind::Architectures => {
            arch::ALL.iter().for_each(|arch| line(&[arch.model_type(), arch.summary()]));
            arch::MULTIMODAL.iter().for_each(|whole| line(&[whole.model_type, whole.summary]));
        }
        Kind::Estimators => mi::ALL.iter().for_each(|estimator| {
            let about = estimator.about();
            line(&[
                estimator.name(),
                about.kind.name(),
                about.what,
                about.reference,
                about.cost,
                about.limits,
            ]);
        }),
        Kind::Reports => {
            let tables = report::ALL.iter();
            tables.for_each(|report| line(&[report.name(), report.input().file, report.summary()]));
            line(&[report::html::NAME, "a results folder", report::html::SUMMARY]);
        }
        Kind::Corpora => {
            for (name, _) in EMBEDDED {
                let category = Category::load(name)?;
                let relations: Vec<_> =
                    category.relations.iter().map(|relation| relation.name.as_str()).collect();
                line(&[name, &format!("{} entities", category.entities.len()), &relations.join(", ")]);
            }
        }
        Kind::Providers => provider::ALL.iter().for_each(|provider| {
            line(&[provider.name(), provider.default_base_url(), provider.key_variable()]);
        }),
        Kind::Importers => {
            import::ALL.iter().for_each(|importer| line(&[importer.name(), importer.summary()]));
        }
        Kind::Candidates => candidates::ALL.iter().for_each(|candidate| {
            let role =
                if candidate.role() == CandidateRole::Calibration { "calibration" } else { "baseline" };
            line(&[candidate.name(), role, &candidate.least_rows().to_string()]);
        }),
        Kind::Graders => graders::ALL.iter().for_each(|rule| {
            line(&[&format!("{}{}", rule.name(), rule.argument_form().unwrap_or_default()), rule.about()]);
        }),
        Kind::Tasks => tasks::built_in().iter().for_each(|(name, what)| line(&[name, what])),
    }
    print(out.as_bytes())
}
