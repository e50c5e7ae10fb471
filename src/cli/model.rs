//! `surmise model`: the description of a checkpoint.

use clap::Args;
use serde::Serialize;

use super::{ConfigFlags, Fetching, config_notes, print};
use crate::error::{Error, Result};
use crate::model::{Description, ModelInfo};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A folder with config.json and weights, a GGUF file, an id on a Hugging Face hub, or a name from
    /// `surmise list models`
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    config: ConfigFlags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The report that is printed.
#[derive(Debug, Serialize)]
struct ModelReport<'a> {
    #[serde(flatten)]
    model: &'a ModelInfo,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    max_positions: usize,
    /// Memory of the weights after loading: four bytes for each parameter.
    memory_bytes: usize,
    stored_dtype: &'a str,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let hub = flags.fetching.hub(std::slice::from_ref(&flags.model), quiet)?;
    let Description { info, spec, stored } =
        Description::of(&flags.model, &flags.config.allow_config_key, &hub)?;
    config_notes(&info, quiet);
    let report = ModelReport {
        model: &info,
        n_heads: spec.n_heads,
        n_kv_heads: spec.n_kv_heads,
        head_dim: spec.head_dim,
        max_positions: spec.max_positions,
        memory_bytes: 4 * info.n_params,
        stored_dtype: &stored,
    };
    let text = if flags.json {
        let json = serde_json::to_string_pretty(&report);
        json.map_err(|source| Error::Json { path: "stdout".into(), source })? + "\n"
    } else {
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
            "{} of {} values, {} of keys and values",
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
        rows.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect()
    };
    print(text.as_bytes())
}
