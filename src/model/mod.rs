//! From a checkpoint to residual streams: a folder as Hugging Face tools write it, or the name of an embedded model, becomes one
//! [`Decoder`] and a [`Tokenizer`]. Tensors stay inside this module; what leaves it is `ndarray`.

pub mod arch;
pub mod batch;
mod custom;
pub mod decoder;
mod embedded;
mod fused;
pub mod hub;
pub mod kernels;
pub mod ops;
pub mod parts;
pub mod spec;
pub mod states;
pub mod tokenizer;
pub mod weights;

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::arch::{Architecture, Config};
use self::decoder::Decoder;
pub use self::embedded::{FAMILY, Member};
use self::hub::Hub;
use self::ops::Ops;
pub use self::states::{Point, States};
pub use self::tokenizer::Tokenizer;
use self::weights::{Checkpoint, Initial, Source};
use crate::error::{Error, Result};

/// What a checkpoint is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The folder's last component, the embedded name, or the id on a hub with its revision unless that is `main`.
    pub id: String,
    /// Models of one recipe; the architecture's name where nothing better is known.
    pub family: String,
    /// `model_type` of config.json.
    pub architecture: String,
    /// Parameters; a tied head counts once.
    pub n_params: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// SHA-256 of model.safetensors.
    pub weights_sha256: String,
}

/// A model ready to be measured.
pub struct Model {
    /// What it is.
    pub card: ModelCard,
    /// Its trained decoder.
    pub decoder: Decoder,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    architecture: &'static dyn Architecture,
}

impl Model {
    /// Loads `name`: an embedded model, a folder with config.json, tokenizer.json and model.safetensors (f32, f16 or bf16), or an id on
    /// a hub, with the settings of the environment.
    ///
    /// # Errors
    /// For a name that is none of these, and for whatever is wrong with the files: the message names file, key or tensor.
    pub fn load(name: &str) -> Result<Self> {
        Self::load_with(name, &Hub::from_env()?)
    }

    /// As [`Model::load`], with settings of one's own for ids on a hub.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_with(name: &str, hub: &Hub) -> Result<Self> {
        if let Some(member) = FAMILY.iter().find(|member| member.name == name) {
            let path = |file: &str| Path::new(name).join(file);
            let files = [member.config, member.tokenizer, member.weights].map(Cow::Borrowed);
            return Self::from_files(name, Some(member.recipe), path, files);
        }
        let id = Self::find(name, hub)?;
        let fetched = if hub::is_id(name) { Some(hub.folder(name)?) } else { None };
        let folder = fetched.as_deref().unwrap_or(Path::new(name));
        let path = |file: &str| folder.join(file);
        if path("model.safetensors.index.json").is_file() && !path("model.safetensors").is_file() {
            let reason = "is a checkpoint in several files, which are not read yet; save it as one model.safetensors";
            return Err(Error::Config { path: path("model.safetensors.index.json"), reason: reason.into() });
        }
        let read = |file: &str| {
            std::fs::read(path(file)).map(Cow::Owned).map_err(|source| Error::Read { path: path(file), source })
        };
        let files = [read("config.json")?, read("tokenizer.json")?, read("model.safetensors")?];
        Self::from_files(&id, None, path, files)
    }

    /// The id of the model that a name stands for, an embedded one, a folder, or one on a hub, before any of it is read or fetched.
    ///
    /// # Errors
    /// [`Error::Unknown`] if it is none of these.
    pub fn find(name: &str, hub: &Hub) -> Result<String> {
        if FAMILY.iter().any(|member| member.name == name) {
            return Ok(name.into());
        }
        if hub::is_id(name) {
            return hub.label(name);
        }
        let folder = Path::new(name);
        if folder.is_dir() {
            let resolved = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
            return Ok(resolved.file_name().map_or_else(|| name.into(), |last| last.to_string_lossy().into_owned()));
        }
        let known: Vec<_> = FAMILY.iter().map(|member| member.name).collect();
        let hint = format!(
            "it is no folder, and embedded are {}; give a folder with config.json, tokenizer.json and model.safetensors, or owner/name on a hub",
            known.join(", ")
        );
        Err(Error::Unknown { kind: "model", name: name.into(), hint })
    }

    fn from_files(
        id: &str,
        family: Option<&str>,
        path: impl Fn(&str) -> std::path::PathBuf,
        [config, tokenizer, weights]: [Cow<'static, [u8]>; 3],
    ) -> Result<Self> {
        let config = Config::parse(&path("config.json"), &config)?;
        let architecture = arch::of(&config)?;
        let spec = architecture.spec(&config)?;
        if let Some(fault) = spec.fault() {
            return Err(config.fault(fault));
        }
        let tokenizer = Tokenizer::new(&path("tokenizer.json"), &tokenizer, spec.vocab_size)?;
        let checkpoint = Checkpoint::new(&path("model.safetensors"), weights)?;
        let decoder = Decoder::new(spec.clone(), architecture.parts(&spec, &checkpoint)?, Ops::Fused);
        let card = ModelCard {
            id: id.to_owned(),
            family: family.unwrap_or(architecture.model_type()).to_owned(),
            architecture: architecture.model_type().to_owned(),
            n_params: decoder.n_params(),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256: checkpoint.sha256(),
        };
        Ok(Self { card, decoder, tokenizer, architecture })
    }

    /// The untrained twin: the same config with seeded initial weights.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn twin(&self, seed: u64) -> Result<Decoder> {
        untrained(self.architecture, self.decoder.spec(), &Initial { seed }, Ops::Fused)
    }
}

/// A decoder of `spec` with the parameters of `source`, which need no checkpoint behind them: the twin, and training.
///
/// # Errors
/// Whatever `source` finds wrong.
pub fn untrained(architecture: &dyn Architecture, spec: &spec::Spec, source: &dyn Source, ops: Ops) -> Result<Decoder> {
    Ok(Decoder::new(spec.clone(), architecture.parts(spec, source)?, ops))
}
