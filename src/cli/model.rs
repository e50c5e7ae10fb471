//! `surmise model`: describes a checkpoint.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{ConfigFlags, Fetching, Progress, TableBytes, TableFlags, config_notes, is_stdout, status};
use crate::disk;
use crate::error::{Error, Result};
use crate::model::{Description, ModelInfo};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Folder with config.json and weights, GGUF file, id on a Hugging Face hub, or name from `surmise list
    /// models`
    #[arg(value_name = "MODEL", required_unless_present = "json")]
    model: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    table: TableFlags,
}

/// The JSON report.
#[derive(Debug, Serialize)]
struct ModelReport<'a> {
    #[serde(flatten)]
    model: &'a ModelInfo,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    max_positions: usize,
    /// Number of experts in a mixture-of-experts block, and number of experts that process each token.
    #[serde(skip_serializing_if = "Option::is_none")]
    experts: Option<[usize; 2]>,
    /// Memory of the weights after loading: four bytes for each parameter.
    memory_bytes: usize,
    stored_dtype: &'a str,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let (model, table) = arguments(flags, quiet)?;
    table.check(None, [&PathBuf::from(&model)])?;
    let hub = flags.fetching.hub(std::slice::from_ref(&model), quiet)?;
    let bar = Progress::uncounted("reading the weights", quiet);
    let Description { info, spec, stored } = Description::of(&model, &flags.config.allow_config_key, &hub)?;
    bar.finish();
    config_notes(&info, quiet);
    let report = ModelReport {
        model: &info,
        n_heads: spec.n_heads,
        n_kv_heads: spec.n_kv_heads,
        head_dim: spec.head_dim,
        max_positions: spec.max_positions,
        experts: spec.mixture.map(|mixture| [mixture.n_experts, mixture.n_chosen]),
        memory_bytes: 4 * info.n_params,
        stored_dtype: &stored,
    };
    let bytes = bytes(&report)?;
    let text: String = {
        let ModelInfo {
            id,
            family,
            architecture,
            n_params,
            n_layers,
            d_model,
            vocab_size,
            weights_sha256,
            ..
        } = report.model;
        let heads = format!(
            "{} with {} values each, {} heads of keys and values",
            report.n_heads, report.head_dim, report.n_kv_heads
        );
        let memory = format!("{} bytes (weights as f32)", report.memory_bytes);
        let rows = [
            ("model", id.clone()),
            ("family", family.clone().unwrap_or_else(|| "unknown".into())),
            ("architecture", architecture.clone()),
            ("parameters", n_params.to_string()),
            ("blocks", n_layers.to_string()),
            ("width", d_model.to_string()),
            ("vocabulary", vocab_size.to_string()),
            ("heads", heads),
            ("positions", report.max_positions.to_string()),
            ("memory", memory),
            ("dtype on disk", report.stored_dtype.to_owned()),
            ("sha256", weights_sha256.clone()),
        ];
        let experts = report
            .experts
            .map(|[n, chosen]| ("experts", format!("{n}, of which {chosen} process each token")));
        rows.iter().chain(&experts).map(|(name, value)| format!("{name}\t{value}\n")).collect()
    };
    table.write(&bytes, text.as_bytes())
}

/// Returns the model and the table flags. In an earlier version, `--json` took no file, so the value in
/// `--json MODEL` is the model.
fn arguments(flags: &Flags, quiet: bool) -> Result<(String, TableFlags)> {
    let table = flags.table.clone();
    match (&flags.model, table.json.as_deref()) {
        (Some(model), _) => Ok((model.clone(), table)),
        (None, Some(path)) if !is_stdout(path) => {
            let model = path.display().to_string();
            if !quiet {
                status("warning: `--json MODEL` is now `MODEL --json`, because --json takes a file");
            }
            Ok((model, TableFlags { json: Some("-".into()), ..table }))
        }
        (None, _) => {
            let reason =
                "is missing; give a folder, a GGUF file, a hub id or the name of an embedded model".into();
            Err(Error::Parameter { name: "MODEL", reason })
        }
    }
}

/// The columns of the CSV, each a member of the JSON.
const COLUMNS: [&str; 15] = [
    "id",
    "family",
    "architecture",
    "n_params",
    "n_layers",
    "d_model",
    "vocab_size",
    "n_heads",
    "n_kv_heads",
    "head_dim",
    "max_positions",
    "experts",
    "memory_bytes",
    "stored_dtype",
    "weights_sha256",
];

fn bytes(report: &ModelReport) -> Result<TableBytes> {
    let fault = |source| Error::Json { path: "model".into(), source };
    let value = serde_json::to_value(report).map_err(fault)?;
    let cell = |name: &&str| match &value[*name] {
        serde_json::Value::Array(items) => {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ").into()
        }
        other => other.clone(),
    };
    let csv = TableBytes::of_cells("model", &COLUMNS, &[COLUMNS.iter().map(cell).collect()])?.csv;
    Ok(TableBytes { csv, json: disk::json_bytes("model.json".as_ref(), report)? })
}
