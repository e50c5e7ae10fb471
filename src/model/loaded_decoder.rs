//! Opens a decoder: reads its config and loads its weights onto a device.

use super::arch::{Architecture, Config};
use super::decoder::Decoder;
use super::device::Device;
use super::files::ModelFiles;
use super::hub::{Hub, RequiredFiles};
use super::info::ModelInfo;
use super::memory::MemoryPlan;
use super::opened_files::OpenedFiles;
use super::ops::Ops;
use super::options::ModelOptions;
use super::spec::Spec;
use crate::error::{Error, Result};

/// A decoder with its description and without a tokenizer, for callers that have token ids.
pub struct LoadedDecoder {
    /// Origin, sizes and settings of the model.
    pub info: ModelInfo,
    /// The trained decoder.
    pub decoder: Decoder,
    /// Data types of the stored weights, such as "F32" or "BF16"; several types are joined by "+".
    pub stored: String,
    pub(super) architecture: &'static dyn Architecture,
    /// Bytes of memory that the weights occupy.
    pub(super) weight_bytes: u64,
}

impl LoadedDecoder {
    /// Loads the decoder of an embedded model, a folder, a GGUF file, or an id on a hub.
    ///
    /// # Errors
    /// Returns the errors of [`Model::load`](super::Model::load), except errors of the tokenizer.
    pub fn load(name: &str, options: &ModelOptions, hub: &Hub) -> Result<Self> {
        Self::open(&ModelFiles::open(name, hub, RequiredFiles::Weights)?, options, hub, |_, _| Ok(()))
            .map(|(loaded, ())| loaded)
    }

    /// Opens the files and loads the weights. Calls `also` before it loads the weights, so that errors of
    /// `also` appear before the slowest step.
    pub(super) fn open<T>(
        files: &ModelFiles,
        options: &ModelOptions,
        hub: &Hub,
        also: impl FnOnce(&ModelFiles, &Config) -> Result<T>,
    ) -> Result<(Self, T)> {
        let device = options.device.open()?;
        let (opened, also) = OpenedFiles::open(files, options, hub, also)?;
        let OpenedFiles { spec, names, n_params, .. } = &opened;
        let (spec, n_params) = (spec.clone(), *n_params);
        let mut plan = plan(&files.id, "its weights", &spec, n_params, options, options.max_memory_bytes)?;
        if let Some(limit) = options.max_memory_bytes.filter(|_| options.with_random_init) {
            plan = plan.beside(&spec, n_params, limit, rayon::current_num_threads());
        }
        if plan.most_blocks.is_some() {
            hub.note(&format!(
                "{}: the weights take {} bytes in f32 and do not all fit within --max-memory; each block is \
                 read from the weight file when it is needed",
                files.id,
                4 * n_params
            ));
        }
        let checkpoint = opened.checkpoint.clone();
        let load = || match plan.most_blocks {
            None => names.load(&spec, &*checkpoint)?.to_device(&device),
            Some(most_blocks) => names.stream(&spec, checkpoint.clone(), most_blocks),
        };
        let (parts, weights_sha256) = rayon::join(load, || checkpoint.sha256());
        let decoder = Decoder::new(spec.clone(), parts?, Ops::of(&device));
        let info = opened.info(files, options, decoder.n_params(), weights_sha256?);
        let architecture = opened.architecture;
        let weight_bytes = plan.bytes;
        Ok((Self { info, decoder, stored: checkpoint.stored(), architecture, weight_bytes }, also))
    }
}

/// Plans how to keep the weights in memory; `left` is the part of the memory limit, in bytes, that other
/// weights do not use. On a GPU, all weights must fit at once.
///
/// # Errors
/// [`Error::Parameter`] if one block does not fit or, on a GPU, if the weights do not fit.
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
        let reason = format!(
            "allows {limit} bytes, but {id} needs {bytes} for {what} in f32{how}; increase the limit"
        );
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
