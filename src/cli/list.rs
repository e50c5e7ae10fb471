//! `surmise list`: lists the built-in items of one kind, such as models or corpora, as tab-separated lines,
//! CSV or JSON.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{TableBytes, TableFlags};
use crate::calibration::candidates::{CandidateRole, registry as candidates};
use crate::collect::grading::registry as graders;
use crate::collect::tasks;
use crate::corpus::Category;
use crate::corpus::category::EMBEDDED;
use crate::dictionary;
use crate::error::Result;
use crate::export;
use crate::import;
use crate::mi;
use crate::model::{Model, arch, embedded};
use crate::provider;
use crate::report;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Kind of items to list
    #[arg(value_name = "WHAT")]
    kind: Kind,
    #[command(flatten)]
    table: TableFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Embedded models: name, family, sizes
    Models,
    /// Supported model architectures
    Architectures,
    /// Estimators of mutual information: name, kind of quantity, description, reference, cost, limits
    Estimators,
    /// Embedded corpora: name, number of entities, relations
    Corpora,
    /// APIs of closed models: name, base URL, environment variable that contains the key
    Providers,
    /// Tools whose results can be imported as scores, and the files that are read
    Importers,
    /// Tools for which collected answers can be exported, and the files that are written
    Exporters,
    /// Built-in tasks for closed models
    Tasks,
    /// Graders of answers: name with its argument, and the condition for a correct answer
    Graders,
    /// Reports: name, input file, tables and figures
    Reports,
    /// Regressions that a calibration selects from: name, role, minimum number of rows
    Candidates,
    /// Columns and members of every output file: table, name, unit, meaning
    Columns,
}

/// A table of built-in items: column names and rows.
struct Listing {
    columns: &'static [&'static str],
    rows: Vec<ListedMember>,
}

/// A row of a listing.
struct ListedMember {
    /// The cells of the tab-separated line.
    line: Vec<String>,
    /// The cells of CSV and JSON.
    cells: Vec<Value>,
}

impl ListedMember {
    /// A row with the same text cells in all formats.
    fn of_texts(cells: &[&str]) -> Self {
        Self {
            line: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            cells: cells.iter().map(|cell| (*cell).into()).collect(),
        }
    }
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    flags.table.check(None, [])?;
    let Listing { columns, rows } = listing(flags.kind)?;
    let lines: String = rows.iter().map(|row| row.line.join("\t") + "\n").collect();
    let cells: Vec<Vec<Value>> = rows.into_iter().map(|row| row.cells).collect();
    let possible = flags.kind.to_possible_value();
    let name = possible.as_ref().map_or("list", PossibleValue::get_name);
    flags.table.write(&TableBytes::of_cells(name, columns, &cells)?, lines.as_bytes())
}

fn listing(kind: Kind) -> Result<Listing> {
    let mut rows: Vec<ListedMember> = vec![];
    let mut line = |cells: &[&str]| rows.push(ListedMember::of_texts(cells));
    let columns: &[&str] = match kind {
        Kind::Models => {
            for member in embedded() {
                let info = Model::load(member.name)?.info;
                let (n_params, n_layers, d_model) = (info.n_params, info.n_layers, info.d_model);
                let sizes = format!("{n_params} parameters, {n_layers} blocks, width {d_model}");
                rows.push(ListedMember {
                    line: vec![member.name.into(), member.family.into(), sizes],
                    cells: vec![
                        member.name.into(),
                        member.family.into(),
                        n_params.into(),
                        n_layers.into(),
                        d_model.into(),
                    ],
                });
            }
            &["name", "family", "n_params", "n_layers", "d_model"]
        }
        Kind::Architectures => {
            arch::ALL.iter().for_each(|arch| line(&[arch.model_type(), arch.summary()]));
            arch::MULTIMODAL.iter().for_each(|whole| line(&[whole.model_type, whole.summary]));
            &["name", "summary"]
        }
        Kind::Estimators => {
            for estimator in mi::ALL {
                let about = estimator.about();
                line(&[
                    estimator.name(),
                    about.kind.name(),
                    about.what,
                    about.reference,
                    about.cost,
                    about.limits,
                ]);
            }
            &["name", "kind", "what", "reference", "cost", "limits"]
        }
        Kind::Reports => {
            report::ALL
                .iter()
                .for_each(|report| line(&[report.name(), report.input().file, report.summary()]));
            line(&[report::html::NAME, "a results folder", report::html::SUMMARY]);
            &["name", "input", "summary"]
        }
        Kind::Corpora => {
            for (name, _) in EMBEDDED {
                let category = Category::load(name)?;
                let relations: Vec<_> =
                    category.relations.iter().map(|relation| relation.name.as_str()).collect();
                let (n, relations) = (category.entities.len(), relations.join(", "));
                rows.push(ListedMember {
                    line: vec![(*name).into(), format!("{n} entities"), relations.clone()],
                    cells: vec![(*name).into(), n.into(), relations.into()],
                });
            }
            &["name", "n_entities", "relations"]
        }
        Kind::Providers => {
            provider::ALL.iter().for_each(|provider| {
                line(&[provider.name(), provider.default_base_url(), provider.key_variable()]);
            });
            &["name", "base_url", "key_variable"]
        }
        Kind::Importers => {
            import::ALL.iter().for_each(|importer| line(&[importer.name(), importer.summary()]));
            &["name", "summary"]
        }
        Kind::Exporters => {
            export::ALL.iter().for_each(|exporter| line(&[exporter.name(), exporter.summary()]));
            &["name", "summary"]
        }
        Kind::Candidates => {
            candidates::ALL.iter().for_each(|candidate| {
                let role =
                    if candidate.role() == CandidateRole::Calibration { "calibration" } else { "baseline" };
                let least_rows = candidate.least_rows();
                rows.push(ListedMember {
                    line: vec![candidate.name().into(), role.into(), least_rows.to_string()],
                    cells: vec![candidate.name().into(), role.into(), least_rows.into()],
                });
            });
            &["name", "role", "least_rows"]
        }
        Kind::Graders => {
            graders::ALL.iter().for_each(|rule| {
                let form = format!("{}{}", rule.name(), rule.argument_form().unwrap_or_default());
                line(&[&form, rule.about()]);
            });
            &["name", "right_when"]
        }
        Kind::Columns => {
            dictionary::entries().iter().filter(|entry| !entry.is_table()).for_each(|entry| {
                line(&[&entry.table, &entry.name, &entry.unit, &entry.meaning]);
            });
            &["table", "name", "unit", "meaning"]
        }
        Kind::Tasks => {
            tasks::built_in().iter().for_each(|(name, what)| line(&[name, what]));
            &["name", "summary"]
        }
    };
    Ok(Listing { columns, rows })
}
