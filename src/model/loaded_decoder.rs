//! Opening a decoder: config, weights, device.

use std::borrow::Cow;
use std::sync::Arc;

use super::arch::{self, Architecture, Config};
use super::decoder::Decoder;
use super::device::Device;
use super::files::ModelFiles;
use super::hub::{Hub, RequiredFiles};
use super::info::ModelInfo;
use super::memory::MemoryPlan;
use super::ops::Ops;
use super::options::ModelOptions;
use super::parameter_count;
use super::spec::Spec;
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
    /// What the weights take of the memory.
    pub(super) weight_bytes: u64,
}

impl LoadedDecoder {
    /// Loads the decoder of an embedded model, a folder, a GGUF file, or an id on a hub.
    ///
    /// # Errors
    /// Those of [`Model::load`], the tokenizer's excepted.
    pub fn load(name: &str, options: &ModelOptions, hub: &Hub) -> Result<Self> {
        Self::open(&ModelFiles::open(name, hub, RequiredFiles::Weights)?, options, hub, |_, _| Ok(()))
            .map(|(loaded, ())| loaded)
    }

    /// What `also` reads comes before the weights, which take longest.
    pub(super) fn open<T>(
        files: &ModelFiles,
        options: &ModelOptions,
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
                hub.note(&format!("{id}: the LoRA in {folder} is merged: {n} tensors, rank {rank}"));
            }
        }
        let n_params = parameter_count::n_params(&names, &spec, &checkpoint);
        let plan = plan(&files.id, "its weights", &spec, n_params, options, options.max_memory_bytes)?;
        let checkpoint = Arc::new(checkpoint);
        if plan.most_blocks.is_some() {
            hub.note(&format!(
                "{}: its weights take {} bytes in f32, more than --max-memory allows; they stay in their \
                 file, and each block is read when it is needed",
                files.id,
                4 * n_params
            ));
        }
        let load = || match plan.most_blocks {
            None => names.load(&spec, &*checkpoint)?.to_device(&device),
            Some(most_blocks) => names.stream(&spec, checkpoint.clone(), most_blocks),
        };
        let (parts, weights_sha256) = rayon::join(load, || checkpoint.sha256());
        let (parts, weights_sha256) = (parts?, weights_sha256?);
        let decoder = Decoder::new(spec.clone(), parts, Ops::of(&device));
        let info = ModelInfo {
            id: files.id.clone(),
            family: files.member.map(|member| member.family.to_owned()),
            architecture: architecture.model_type().to_owned(),
            n_params: decoder.n_params(),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256,
            ignored_config_keys: unread.keys,
            flags: unread.flags,
            dtype,
            device: options.device,
        };
        let weight_bytes = plan.bytes;
        Ok((Self { info, decoder, stored: checkpoint.stored(), architecture, weight_bytes }, also))
    }
}

/// How weights are held within `left` bytes of the limit. On a GPU they are there as a whole.
///
/// # Errors
/// [`Error::Parameter`] if not even one block fits.
pub(super) fn plan(
    id: &str,
    what: &str,
    spec: &Spec,
    n_params: usize,
    options: &ModelOptions,
    left: Option<u64>,
) -> Result<MemoryPlan> {
    let needs = |bytes: u64, how: &str| {
        let limit = options.max_memory_bytes.unwrap_or_default();
        let reason =
            format!("allows {limit} bytes, and {id} needs {bytes} for {what} in f32{how}; give it more");
        Error::Parameter { name: "--max-memory", reason }
    };
    let plan = MemoryPlan::of(spec, n_params, left, rayon::current_num_threads());
    let used = options.max_memory_bytes.unwrap_or_default() - left.unwrap_or_default();
    let plan = plan.map_err(|bytes| needs(used + bytes, " even if each block is read when it is needed"))?;
    match (options.device, plan.most_blocks) {
        (Device::Cpu, _) | (_, None) => Ok(plan),
        _ => Err(needs(4 * n_params as u64, " on a GPU")),
    }
}
