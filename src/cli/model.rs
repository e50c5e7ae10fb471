//! `surmise model`: what a checkpoint is.

use clap::Args;
use serde::Serialize;

use super::{Fetching, print};
use crate::error::{Error, Result};
use crate::model::{Core, ModelCard, Options};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A folder with config.json and weights, an id on a Hugging Face hub, or a name from `surmise list
    /// models`
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    fetching: Fetching,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Card<'a> {
    #[serde(flatten)]
    model: &'a ModelCard,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    max_positions: usize,
    /// Of the weights as they are held: four for each parameter.
    memory_bytes: usize,
    stored_dtype: &'a str,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let hub = flags.fetching.hub(std::slice::from_ref(&flags.model), quiet)?;
    let core = Core::load(&flags.model, Options::default(), &hub)?;
    let spec = core.decoder.spec();
    let card = Card {
        model: &core.card,
        n_heads: spec.n_heads,
        n_kv_heads: spec.n_kv_heads,
        head_dim: spec.head_dim,
        max_positions: spec.max_positions,
        memory_bytes: 4 * core.card.n_params,
        stored_dtype: &core.stored,
    };
    let text = if flags.json {
        let json = serde_json::to_string_pretty(&card);
        json.map_err(|source| Error::Json { path: "stdout".into(), source })? + "\n"
    } else {
        let ModelCard {
            id,
            family,
            architecture,
            n_params,
            n_layers,
            d_model,
            vocab_size,
            weights_sha256,
            ..
        } = card.model;
        let heads =
            format!("{} of {} values, {} of keys and values", card.n_heads, card.head_dim, card.n_kv_heads);
        let memory = format!("{} bytes (weights as f32)", card.memory_bytes);
        let rows = [
            ("model", id.clone()),
            ("family", family.clone().unwrap_or_else(|| "unknown".into())),
            ("architecture", architecture.clone()),
            ("parameters", n_params.to_string()),
            ("blocks", n_layers.to_string()),
            ("width", d_model.to_string()),
            ("vocabulary", vocab_size.to_string()),
            ("heads", heads),
            ("positions", card.max_positions.to_string()),
            ("memory", memory),
            ("dtype on disk", card.stored_dtype.to_owned()),
            ("sha256", weights_sha256.clone()),
        ];
        rows.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect()
    };
    print(text.as_bytes())
}
