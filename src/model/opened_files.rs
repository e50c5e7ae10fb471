//! Opens the config and the weight headers of a model, before any weight is read.

use std::borrow::Cow;
use std::sync::Arc;

use super::arch::{self, Architecture, Config, TensorNames, UnreadKeys};
use super::files::ModelFiles;
use super::hub::Hub;
use super::info::ModelInfo;
use super::options::ModelOptions;
use super::parameter_count;
use super::spec::Spec;
use super::weights::Checkpoint;
use crate::error::Result;

/// The contents of the config and of the weight headers.
pub(super) struct OpenedFiles {
    pub(super) architecture: &'static dyn Architecture,
    pub(super) spec: Spec,
    pub(super) names: TensorNames,
    pub(super) checkpoint: Arc<Checkpoint>,
    /// Number of parameters in the files. Weights that the embedding and the head share count once.
    pub(super) n_params: usize,
    unread: UnreadKeys,
}

impl OpenedFiles {
    /// Reads the config, calls `also` with it, and reads the weight headers.
    ///
    /// # Errors
    /// Returns an error for any fault in the files. The message names the file and the key or tensor.
    pub(super) fn open<T>(
        files: &ModelFiles,
        options: &ModelOptions,
        hub: &Hub,
        also: impl FnOnce(&ModelFiles, &Config) -> Result<T>,
    ) -> Result<(Self, T)> {
        let dtype = options.dtype;
        let weights = files.weights()?;
        let config = Config::parse(&files.path("config.json"), &files.read("config.json")?)?;
        let open = || match files.member {
            Some(member) => Ok(Checkpoint::new(&weights, Cow::Borrowed(member.weights))?.rounded(dtype)),
            None => Checkpoint::open(&weights, dtype),
        };
        // Report a quantised model before any other fault of its config.
        if config.entries().any(|(key, _)| key == "quantization_config") {
            open()?.check_unquantised()?;
        }
        let (architecture, spec) = arch::read(&config)?;
        let unread = arch::unread_keys(&config, &options.allow_config_keys)?;
        let also = also(files, &arch::text_config(&config)?)?;
        let published = architecture.tensor_names(&spec);
        let names = files.gguf.as_ref().map_or(published, |gguf| arch::gguf::tensor_names(gguf, published));
        let mut checkpoint = match &files.gguf {
            Some(gguf) => arch::gguf::checkpoint(gguf, &spec, &names, dtype)?,
            None => open()?,
        };
        checkpoint.check_unquantised()?;
        if let Some(folder) = &files.adapter {
            checkpoint = checkpoint.adapted(folder, names.transposed)?;
            if let Some((n, rank)) = checkpoint.adapter_size() {
                let (id, folder) = (&files.id, folder.display());
                hub.note(&format!(
                    "{id}: merged the LoRA in {folder} into the weights: {n} tensors, rank {rank}"
                ));
            }
        }
        let n_params = parameter_count::n_params(&names, &spec, &checkpoint);
        Ok((Self { architecture, spec, names, checkpoint: Arc::new(checkpoint), n_params, unread }, also))
    }

    /// The description of the model; `weights_sha256` is the hash of its weight files.
    pub(super) fn info(
        &self,
        files: &ModelFiles,
        options: &ModelOptions,
        n_params: usize,
        weights_sha256: String,
    ) -> ModelInfo {
        let Self { architecture, spec, unread, .. } = self;
        ModelInfo {
            id: files.id.clone(),
            family: files.member.map(|member| member.family.to_owned()),
            architecture: architecture.model_type().to_owned(),
            n_params,
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256,
            ignored_config_keys: unread.keys.clone(),
            flags: unread.flags.clone(),
            dtype: options.dtype,
            device: options.device,
        }
    }
}
