//! Opens a model: a decoder with its tokenizer.

use std::sync::Arc;

use super::arch::{Architecture, Config};
use super::chat::ChatFiles;
use super::decoder::Decoder;
use super::files::{self, ModelFiles};
use super::hub::{Hub, RequiredFiles};
use super::info::ModelInfo;
use super::loaded_decoder::{LoadedDecoder, plan};
use super::memory::MemoryPlan;
use super::ops::Ops;
use super::options::ModelOptions;
use super::spec::Spec;
use super::tokenizer::Tokenizer;
use super::weights::{ParameterSource, RandomInit, StoredRandomInit};
use crate::error::Result;

/// A loaded model.
pub struct Model {
    /// Origin, sizes and settings of the model.
    pub info: ModelInfo,
    /// The trained decoder.
    pub decoder: Decoder,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The options that opened the model.
    pub options: ModelOptions,
    /// Tokens that end a text, from `eos_token_id` of config.json.
    pub ends: Vec<u32>,
    /// The files that define how messages become a prompt.
    pub chat: ChatFiles,
    stored: String,
    architecture: &'static dyn Architecture,
    weight_bytes: u64,
}

impl Model {
    /// Loads `name`, which is one of:
    ///
    /// * an embedded model;
    /// * a folder with config.json, tokenizer.json and weights (f32, f16 or bf16) in model.safetensors or
    ///   pytorch_model.bin, as one file or as several files with an index;
    /// * a GGUF file, or a folder with a GGUF file;
    /// * an id on a hub. Environment variables configure the hub.
    ///
    /// # Errors
    /// Returns an error if the name is unknown or a file has a fault. The message names the file and the key
    /// or tensor.
    pub fn load(name: &str) -> Result<Self> {
        Self::load_with(name, ModelOptions::default(), &Hub::from_env()?)
    }

    /// Loads `name` with options and a hub.
    ///
    /// # Errors
    /// Returns the errors of [`Model::load`], and [`Error::Tokenizer`] if the options request a
    /// beginning-of-sequence token and the tokenizer has none.
    pub fn load_with(name: &str, options: ModelOptions, hub: &Hub) -> Result<Self> {
        let files = ModelFiles::open(name, hub, RequiredFiles::WeightsAndTokenizer)?;
        let both = |files: &ModelFiles, config: &Config| {
            Ok((Tokenizer::open(files, config, options.bos)?, ends(config)))
        };
        let (loaded, (tokenizer, ends)) = LoadedDecoder::open(&files, &options, hub, both)?;
        let LoadedDecoder { info, decoder, stored, architecture, weight_bytes } = loaded;
        tokenizer.notes().iter().for_each(|note| hub.note(&format!("{}: {note}", info.id)));
        let chat = ChatFiles::read(&files)?;
        Ok(Self { info, decoder, tokenizer, options, ends, chat, stored, architecture, weight_bytes })
    }

    /// The id of the model that a name refers to: an embedded model, a folder, a GGUF file, or an id on a
    /// hub. This function reads and downloads no file.
    ///
    /// # Errors
    /// [`Error::Unknown`] for any other name.
    pub fn find(name: &str, hub: &Hub) -> Result<String> {
        files::find(name, hub)
    }

    /// Splits the model into its decoder and its tokenizer.
    pub fn into_parts(self) -> (LoadedDecoder, Tokenizer) {
        let Self { info, decoder, tokenizer, stored, architecture, weight_bytes, .. } = self;
        (LoadedDecoder { info, decoder, stored, architecture, weight_bytes }, tokenizer)
    }

    /// A randomly initialised model with the same config. `seed` determines its weights.
    ///
    /// # Errors
    /// Failures of the tensor library, [`Error::Parameter`] if the weights do not fit within the memory
    /// limit, and [`Error::Write`] if the weights go to a temporary file and the disk is full.
    pub fn random_init(&self, seed: u64) -> Result<Decoder> {
        let (spec, device) = (self.decoder.spec(), self.options.device.open()?);
        let init = RandomInit { seed };
        let parts = match self.random_init_plan()?.most_blocks {
            None => self.architecture.parameters(spec, &init)?.to_device(&device)?,
            Some(most_blocks) => {
                let names = self.architecture.tensor_names(spec);
                names.stream(spec, Arc::new(StoredRandomInit::new(init)?), most_blocks)?
            }
        };
        Ok(Decoder::new(spec.clone(), parts, Ops::of(&device)))
    }

    /// Plans the memory for the weights of the randomly initialised model while the weights of this model are
    /// in memory.
    fn random_init_plan(&self) -> Result<MemoryPlan> {
        let (id, options) = (&self.info.id, &self.options);
        let left = options.max_memory_bytes.map(|limit| limit.saturating_sub(self.weight_bytes));
        let what = "its own weights and those of its randomly initialised model";
        plan(id, what, self.decoder.spec(), self.info.n_params, options, left)
    }

    /// Bytes of memory left for states after the weights of this model and of its randomly initialised model;
    /// `None` without a limit.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the limit is too small for one block of each model.
    pub fn room_for_states(&self) -> Result<Option<u64>> {
        let Some(limit) = self.options.max_memory_bytes else { return Ok(None) };
        let both = self.weight_bytes + self.random_init_plan()?.bytes;
        Ok(Some(limit.saturating_sub(both)))
    }
}

/// Builds a decoder of `spec` with the parameters of `source`, without a checkpoint: for random
/// initialisation and training.
///
/// # Errors
/// Returns the errors of `source`.
pub fn random_init(
    architecture: &dyn Architecture,
    spec: &Spec,
    source: &dyn ParameterSource,
    ops: Ops,
) -> Result<Decoder> {
    Ok(Decoder::new(spec.clone(), architecture.parameters(spec, source)?, ops))
}

/// The token ids in `eos_token_id`, which is one id or a list.
fn ends(config: &Config) -> Vec<u32> {
    let id = |value: &serde_json::Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match config.get("eos_token_id") {
        Some(serde_json::Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        one => one.and_then(id).into_iter().collect(),
    }
}
