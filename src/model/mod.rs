//! From a checkpoint to residual streams: a folder as Hugging Face tools write it, or the name of an embedded
//! model, becomes one [`Decoder`] and a [`Tokenizer`]. Tensors stay inside this module; what leaves it is
//! `ndarray`.

pub mod arch;
pub mod batch;
pub mod cache;
mod custom;
pub mod decoder;
mod device;
mod embedded;
mod fused;
pub mod hub;
pub mod ops;
pub mod parts;
pub mod spec;
pub mod state_file;
pub mod states;
mod store;
pub mod tokenizer;
pub mod weights;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::arch::{Architecture, Config};
use self::decoder::Decoder;
pub use self::device::Device;
pub use self::embedded::{FAMILY, Member};
use self::hub::Hub;
use self::ops::Ops;
pub use self::states::{Point, States};
pub use self::tokenizer::{Bos, Tokenizer};
pub use self::weights::Precision;
use self::weights::{Checkpoint, Initial, Source};
use crate::disk;
use crate::error::{Error, Result};

/// What a checkpoint is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The folder's last component, the embedded name, or the id on a hub with its revision unless that is
    /// `main`.
    pub id: String,
    /// The recipe the model belongs to, if it is known. It is not the architecture.
    #[serde(default)]
    pub family: Option<String>,
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
    /// SHA-256 of the file of weights; of several, of their hexadecimal digests one after the other, in
    /// order of their names.
    pub weights_sha256: String,
    /// What the weights were rounded to before they were used.
    #[serde(default)]
    pub dtype: Precision,
    /// Where it computes.
    #[serde(default)]
    pub device: Device,
}

/// How a checkpoint is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What the weights are rounded to.
    pub dtype: Precision,
    /// What stands before every text.
    pub bos: Bos,
    /// Where it computes.
    pub device: Device,
    /// Most memory for weights and states; states beyond it are kept in a temporary file.
    pub max_memory_bytes: Option<u64>,
}

/// A decoder and what is known of it, without tokenizer: enough where token ids are given.
pub struct Core {
    /// What it is.
    pub card: ModelCard,
    /// The trained decoder.
    pub decoder: Decoder,
    /// How the weights are stored: "F32", "F16", "BF16", or several of them.
    pub stored: String,
    architecture: &'static dyn Architecture,
}

impl Core {
    /// Loads the decoder of an embedded model, a folder, or an id on a hub.
    ///
    /// # Errors
    /// Those of [`Model::load`], the tokenizer's excepted.
    pub fn load(name: &str, options: Options, hub: &Hub) -> Result<Self> {
        Self::of(&Place::open(name, hub)?, options, |_, _| Ok(())).map(|(core, ())| core)
    }

    /// What `also` reads of the place is read before the weights, which take longest.
    fn of<T>(
        place: &Place,
        options: Options,
        also: impl FnOnce(&Place, &Config) -> Result<T>,
    ) -> Result<(Self, T)> {
        let (dtype, device) = (options.dtype, options.device.open()?);
        let weights = place.weights()?;
        let config = Config::parse(&place.path("config.json"), &place.read("config.json")?)?;
        let (architecture, spec) = arch::read(&config)?;
        let also = also(place, &config)?;
        let checkpoint = match place.member {
            Some(member) => Checkpoint::new(&weights, Cow::Borrowed(member.weights))?.rounded(dtype),
            None => Checkpoint::open(&weights, dtype)?,
        };
        let bytes = checkpoint.shapes().map(|(_, shape)| 4 * shape.iter().product::<usize>() as u64).sum();
        has_room(&place.id, "its weights", bytes, options.max_memory_bytes)?;
        let parts = architecture.parts(&spec, &checkpoint)?.to_device(&device)?;
        let decoder = Decoder::new(spec.clone(), parts, Ops::of(&device));
        let card = ModelCard {
            id: place.id.clone(),
            family: place.member.map(|member| member.recipe.to_owned()),
            architecture: architecture.model_type().to_owned(),
            n_params: decoder.n_params(),
            n_layers: spec.n_layers,
            d_model: spec.d_model,
            vocab_size: spec.vocab_size,
            weights_sha256: checkpoint.sha256()?,
            dtype,
            device: options.device,
        };
        Ok((Self { card, decoder, stored: checkpoint.stored(), architecture }, also))
    }
}

/// A model ready to be measured.
pub struct Model {
    /// What it is.
    pub card: ModelCard,
    /// Its trained decoder.
    pub decoder: Decoder,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// How it was opened.
    pub options: Options,
    /// Tokens that end a text: `eos_token_id` of config.json.
    pub ends: Vec<u32>,
    /// Where its files are; of an embedded model a folder that is not there.
    pub folder: PathBuf,
    stored: String,
    architecture: &'static dyn Architecture,
}

impl Model {
    /// Loads `name`: an embedded model; a folder with config.json, tokenizer.json and weights (f32, f16 or
    /// bf16) in model.safetensors or pytorch_model.bin, in one file or in several with an index; or an id
    /// on a hub, by the settings of the environment.
    ///
    /// # Errors
    /// For a name that is none of these, and for whatever is wrong with the files: the message names file,
    /// key or tensor.
    pub fn load(name: &str) -> Result<Self> {
        Self::load_with(name, Options::default(), &Hub::from_env()?)
    }

    /// The same, with options.
    ///
    /// # Errors
    /// Those of [`Model::load`], and [`Error::Tokenizer`] if a beginning-of-sequence token is asked for and
    /// there is none.
    pub fn load_with(name: &str, options: Options, hub: &Hub) -> Result<Self> {
        let tokenizer = |place: &Place, config: &Config| {
            let vocab_size = config.size("vocab_size")?;
            let path = place.path("tokenizer.json");
            let tokenizer = Tokenizer::new(&path, &place.read("tokenizer.json")?, vocab_size)?;
            match options.bos {
                Bos::Auto => Ok(tokenizer),
                bos => tokenizer.with_bos(bos, place.read("tokenizer_config.json").ok().as_deref(), config),
            }
        };
        let place = Place::open(name, hub)?;
        let both = |place: &Place, config: &Config| Ok((tokenizer(place, config)?, ends(config)));
        let (core, (tokenizer, ends)) = Core::of(&place, options, both)?;
        let Core { card, decoder, stored, architecture } = core;
        Ok(Self { card, decoder, tokenizer, options, ends, folder: place.folder, stored, architecture })
    }

    /// The id of the model that a name stands for, an embedded one, a folder, or one on a hub, before any of
    /// it is read or fetched.
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
            return Ok(resolved
                .file_name()
                .map_or_else(|| name.into(), |last| last.to_string_lossy().into_owned()));
        }
        if folder.is_file() {
            let hint =
                "it is a file; give the folder it is in, with config.json, tokenizer.json and weights".into();
            return Err(Error::Unknown { kind: "model", name: name.into(), hint });
        }
        let known: Vec<_> = FAMILY.iter().map(|member| member.name).collect();
        let hint = format!(
            "it is no folder, and embedded are {}; give a folder with config.json, tokenizer.json and \
             weights, or owner/name on a hub",
            known.join(", ")
        );
        Err(Error::Unknown { kind: "model", name: name.into(), hint })
    }

    /// The model without its tokenizer, and its tokenizer.
    pub fn into_parts(self) -> (Core, Tokenizer) {
        let Self { card, decoder, tokenizer, stored, architecture, .. } = self;
        (Core { card, decoder, stored, architecture }, tokenizer)
    }

    /// The randomly initialised model: the same config with seeded initial weights.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn random_init(&self, seed: u64) -> Result<Decoder> {
        let (spec, device) = (self.decoder.spec(), self.options.device.open()?);
        let parts = self.architecture.parts(spec, &Initial { seed })?.to_device(&device)?;
        Ok(Decoder::new(spec.clone(), parts, Ops::of(&device)))
    }

    /// Memory that is left for states beside the weights of this model and of its random init; `None` without a
    /// limit.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the weights alone are more than the limit.
    pub fn room_for_states(&self) -> Result<Option<u64>> {
        let both = 8 * self.card.n_params as u64;
        has_room(
            &self.card.id,
            "its weights and those of its randomly initialised model",
            both,
            self.options.max_memory_bytes,
        )?;
        Ok(self.options.max_memory_bytes.map(|limit| limit - both))
    }
}

/// `eos_token_id`: one token, or several.
fn ends(config: &Config) -> Vec<u32> {
    let id = |value: &serde_json::Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match config.get("eos_token_id") {
        Some(serde_json::Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        one => one.and_then(id).into_iter().collect(),
    }
}

fn has_room(id: &str, what: &str, bytes: u64, limit: Option<u64>) -> Result<()> {
    match limit {
        Some(limit) if bytes > limit => {
            let reason =
                format!("allows {limit} bytes, and {id} needs {bytes} for {what} in f32; give it more");
            Err(Error::Parameter { name: "--max-memory", reason })
        }
        _ => Ok(()),
    }
}

/// A decoder of `spec` with the parameters of `source`, which need no checkpoint behind them: the random init, and
/// training.
///
/// # Errors
/// Whatever `source` finds wrong.
pub fn random_init(
    architecture: &dyn Architecture,
    spec: &spec::Spec,
    source: &dyn Source,
    ops: Ops,
) -> Result<Decoder> {
    Ok(Decoder::new(spec.clone(), architecture.parts(spec, source)?, ops))
}

/// Where a model's files are.
struct Place {
    id: String,
    folder: PathBuf,
    member: Option<&'static Member>,
}

impl Place {
    fn open(name: &str, hub: &Hub) -> Result<Self> {
        let id = Model::find(name, hub)?;
        let member = FAMILY.iter().find(|member| member.name == name);
        let folder = if member.is_none() && hub::is_id(name) { hub.folder(name)? } else { name.into() };
        Ok(Self { id, folder, member })
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn weights(&self) -> Result<PathBuf> {
        if self.member.is_some() {
            Ok(self.path("model.safetensors"))
        } else {
            Checkpoint::find(&self.folder)
        }
    }

    /// A file other than the weights.
    fn read(&self, file: &str) -> Result<Cow<'static, [u8]>> {
        match (self.member, file) {
            (Some(member), "config.json") => Ok(Cow::Borrowed(member.config)),
            (Some(member), "tokenizer.json") => Ok(Cow::Borrowed(member.tokenizer)),
            _ => disk::is_regular(&self.path(file))
                .and_then(|()| std::fs::read(self.path(file)))
                .map(Cow::Owned)
                .map_err(|source| Error::Read { path: self.path(file), source }),
        }
    }
}
