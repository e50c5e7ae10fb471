//! Opening a decoder: config, weights, device.

use std::borrow::Cow;

use super::arch::{self, Architecture, Config};
use super::decoder::Decoder;
use super::files::ModelFiles;
use super::hub::{Hub, Need};
use super::info::ModelInfo;
use super::ops::Ops;
use super::options::Options;
use super::weights::Checkpoint;
use crate::error::{Error, Result};

/// A decoder with its description, without tokenizer: enough where token ids are given.
pub struct LoadedDecoder {
    /// Its description.
    pub info: ModelInfo,
    /// The trained decoder.
    pub decoder: Decoder,
    /// How the weights are stored: "F32", "F16", "BF16", or several of them.
    pub stored: String,
    pub(super) architecture: &'static dyn Architecture,
}

impl LoadedDecoder {
    /// Loads the decoder of an embedded model, a folder, a GGUF file, or an id on a hub.
    ///
    /// # Errors
    /// Those of [`Model::load`], the tokenizer's excepted.
    pub fn load(name: &str, options: &Options, hub: &Hub) -> Result<Self> {
        Self::open(&ModelFiles::open(name, hub, Need::Weights)?, options, hub, |_, _| Ok(()))
            .map(|(loaded, ())| loaded)
    }

    /// What `also` reads comes before the weights, which take longest.
    pub(super) fn open<T>(
        files: &ModelFiles,
        options: &Options,
        hub: &Hub,
        also: impl FnOnce(&ModelFiles, &Config) -> Result<T>,
    ) -> Result<(Self, T)> {
        let (dtype, device) = (options.dtype, options.device.open()?);
        let weights = files.weights()?;
        let config = Config::parse(&files.path("config.json"), &files.read("config.json")?)?;
        let open = || match files.member {
            Some(member) => Ok(Checkpoint::new(&weights, Cow::Borrowed(member.weights))?.rounded(dtype)),
            None => Checkpoint::open(&weights, dtype),
        };
        // A config that says so is named for it before any other key.
        if config.entries().any(|(key, _)| key == "quantization_config") {
            open()?.check_unquantised()?;
        }
        let (architecture, spec) = arch::read(&config)?;
        let unread = arch::unread_keys(&config, &options.allow_config_keys)?;
        let also = also(files, &arch::text_config(&config)?)?;
        let mut checkpoint = match &files.gguf {
            Some(gguf) => arch::gguf::checkpoint(gguf, &spec, &architecture.tensor_names(&spec), dtype)?,
            None => open()?,
        };
        checkpoint.check_unquantised()?;
        if let Some(folder) = &files.adapter {
            checkpoint = checkpoint.adapted(folder, architecture.tensor_names(&spec).transposed)?;
            if let Some((n, rank)) = checkpoint.adapter_size() {
                let (id, folder) = (&files.id, folder.display());
                hub.note(&format!("{id}: the LoRA in {folder} is merged: {n} tensors, rank {rank}"));
            }
        }
        let bytes = checkpoint.shapes().map(|(_, shape)| 4 * shape.iter().product::<usize>() as u64).sum();
        check_memory(&files.id, "its weights", bytes, options.max_memory_bytes)?;
        let parts = architecture.parameters(&spec, &checkpoint)?.to_device(&device)?;
        let decoder = Decoder::new(spec.clone(), parts, Ops::of(&device));
        let info = ModelInfo {
            id: files.id.clone(),
            family: files.member.map(|member| member.family.to_owned()),
            architecture: architecture.model_type().to_owned(),
            n_params: decoder.n_params(),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256: checkpoint.sha256()?,
            ignored_config_keys: unread.keys,
            flags: unread.flags,
            dtype,
            device: options.device,
        };
        Ok((Self { info, decoder, stored: checkpoint.stored(), architecture }, also))
    }
}

/// Refuses to hold more than the limit.
pub(super) fn check_memory(id: &str, what: &str, bytes: u64, limit: Option<u64>) -> Result<()> {
    match limit {
        Some(limit) if bytes > limit => {
            let reason =
                format!("allows {limit} bytes, and {id} needs {bytes} for {what} in f32; give it more");
            Err(Error::Parameter { name: "--max-memory", reason })
        }
        _ => Ok(()),
    }
}
