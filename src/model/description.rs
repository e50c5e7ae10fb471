//! Describes a checkpoint from its config and the headers of its weight files. Weights are read only to
//! compute the hash of their files.

use std::path::Path;
use std::sync::Arc;

use super::arch::{self, Architecture, Config, TensorNames};
use super::files::{self, ModelFiles};
use super::hub::{self, Hub, RequiredFiles};
use super::info::ModelInfo;
use super::opened_files::OpenedFiles;
use super::options::ModelOptions;
use super::parameter_count::n_params;
use super::spec::Spec;
use super::weights::gguf::{self, Gguf};
use super::weights::{Checkpoint, FileHeader, ShapesAlone};
use crate::disk;
use crate::error::{Error, Result};

/// Description of a checkpoint.
#[derive(Debug)]
pub struct Description {
    /// Origin and sizes.
    pub info: ModelInfo,
    /// The decoder that the config describes.
    pub spec: Spec,
    /// Data types of the stored weights, such as "F32" or "BF16"; several types are joined by "+".
    pub stored: String,
}

impl Description {
    /// Describes an embedded model, a folder, a GGUF file, or an id on a hub. `allow_config_keys` has the
    /// same meaning as [`ModelOptions::allow_config_keys`].
    ///
    /// # Errors
    /// Returns the errors of [`LoadedDecoder::load`](super::LoadedDecoder::load) that concern the config and
    /// the headers.
    pub fn of(name: &str, allow_config_keys: &[String], hub: &Hub) -> Result<Self> {
        let id = files::find(name, hub)?;
        if hub::is_id(name)
            && let Some((folder, headers)) = hub.headers(name)?
        {
            return Self::of_headers(id, &folder, headers, allow_config_keys);
        }
        let options =
            ModelOptions { allow_config_keys: allow_config_keys.to_vec(), ..ModelOptions::default() };
        let files = ModelFiles::open(name, hub, RequiredFiles::Weights)?;
        let (opened, ()) = OpenedFiles::open(&files, &options, hub, |_, _| Ok(()))?;
        let OpenedFiles { spec, names, checkpoint, n_params, .. } = &opened;
        // Check the shapes of all blocks, as loading the model does.
        names.stream(spec, Arc::new(ShapesAlone(checkpoint.clone())), 1)?;
        let info = opened.info(&files, &options, *n_params, checkpoint.sha256()?);
        Ok(Self { info, spec: spec.clone(), stored: checkpoint.stored() })
    }

    fn of_headers(id: String, folder: &Path, headers: Vec<FileHeader>, allow: &[String]) -> Result<Self> {
        if headers.first().is_some_and(|header| gguf::is_gguf(&header.name)) {
            return Self::of_gguf(id, &Gguf::of_headers(folder, headers)?, allow);
        }
        let path = folder.join("config.json");
        let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let config = Config::parse(&path, &bytes)?;
        let checkpoint = Arc::new(Checkpoint::of_headers(folder, headers)?);
        checkpoint.check_unquantised()?;
        let (architecture, spec) = arch::read(&config)?;
        let names = architecture.tensor_names(&spec);
        Self::of_checkpoint(id, &config, (architecture, spec, names), &checkpoint, allow)
    }

    fn of_gguf(id: String, gguf: &Gguf, allow: &[String]) -> Result<Self> {
        let config = Config::parse(gguf.path(), arch::gguf::config(gguf)?.to_string().as_bytes())?;
        let (architecture, spec) = arch::read(&config)?;
        let names = arch::gguf::tensor_names(gguf, architecture.tensor_names(&spec));
        let dtype = ModelOptions::default().dtype;
        let checkpoint = Arc::new(arch::gguf::checkpoint(gguf, &spec, &names, dtype)?);
        Self::of_checkpoint(id, &config, (architecture, spec, names), &checkpoint, allow)
    }

    fn of_checkpoint(
        id: String,
        config: &Config,
        (architecture, spec, names): (&'static dyn Architecture, Spec, TensorNames),
        checkpoint: &Arc<Checkpoint>,
        allow: &[String],
    ) -> Result<Self> {
        names.stream(&spec, Arc::new(ShapesAlone(checkpoint.clone())), 1)?;
        let unread = arch::unread_keys(config, allow)?;
        let ModelOptions { dtype, device, .. } = ModelOptions::default();
        let info = ModelInfo {
            id,
            family: None,
            architecture: architecture.model_type().to_owned(),
            n_params: n_params(&names, &spec, checkpoint),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256: checkpoint.sha256()?,
            ignored_config_keys: unread.keys,
            flags: unread.flags,
            dtype,
            device,
        };
        Ok(Self { info, spec, stored: checkpoint.stored() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LoadedDecoder;

    #[test]
    fn headers_describe_a_checkpoint_as_its_decoder_does() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let hub = Hub::from_env().expect("a hub");
        let mut n = 0;
        for folder in std::fs::read_dir(golden).expect("tests/golden") {
            let folder = folder.expect("a folder").path();
            let Ok(bytes) = std::fs::read(folder.join("model.safetensors")) else { continue };
            let name = folder.to_str().expect("UTF-8");
            let decoder = LoadedDecoder::load(name, &ModelOptions::default(), &hub).expect("a model");
            let loaded = Description::of(name, &[], &hub).expect("a model");
            assert_eq!((&loaded.info, &loaded.stored), (&decoder.info, &decoder.stored));
            let header = FileHeader {
                name: "model.safetensors".into(),
                len: bytes.len() as u64,
                sha256: Some(loaded.info.weights_sha256.clone()),
                bytes: bytes[..bytes.len().min(40_000)].to_vec(),
            };
            let id = loaded.info.id.clone();
            let described = Description::of_headers(id, &folder, vec![header], &[]).expect("a description");
            assert_eq!(described.info, loaded.info);
            assert_eq!((described.spec, described.stored), (loaded.spec, loaded.stored));
            n += 1;
        }
        assert!(n > 20);
    }
}
