//! Flags that several commands share.

use clap::Args;

use super::choice::choice;
use super::status;
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::model::hub::{self, Hub};
use crate::model::{Bos, Device, ModelOptions, Precision, parse_bytes};

/// The flags for drawing series.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SeriesFlags {
    /// Number of series per corpus
    #[arg(long, default_value_t = WINDOWS, value_name = "N")]
    pub(super) windows: usize,
    /// Number of entities per series
    #[arg(long, alias = "shots", default_value_t = ENTITIES, value_name = "K")]
    pub(super) entities: usize,
    /// Seed of the series, noise, tasks and random initial weights
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

/// The flags for drawing and measuring series, for `demo` and `measure`.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Sampling {
    #[command(flatten)]
    pub(super) draw: SeriesFlags,
    /// Quantity that the noise of the estimator is proportional to: the spread of each coordinate, or the
    /// norm of each state
    #[arg(long, value_parser = choice(&Scale::ALL, Scale::name, Scale::describe), default_value = "spread")]
    pub(super) scale: Scale,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { draw: SeriesFlags { windows: WINDOWS, entities: ENTITIES, seed: 0 }, scale: Scale::Spread }
    }
}

/// Default number of series per corpus. With 1000 series, an estimate cannot exceed log 1000 = 6.9 nats, and
/// estimates above 0.6 of this ceiling count as unreliable.
pub(super) const WINDOWS: usize = 1000;
/// Default number of entities per series.
pub(super) const ENTITIES: usize = 4;
/// Default of the largest number of shots in in-context tasks.
pub(super) const SHOTS: usize = 4;

/// The flags for finding and downloading models.
#[derive(Debug, Clone, Args)]
pub(super) struct Fetching {
    /// Branch, tag or commit to use for model ids without a revision [default: main]
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Download nothing and use only the cache, as with HF_HUB_OFFLINE=1
    #[arg(long)]
    offline: bool,
    /// Base model of a LoRA adapter, for a folder or id that contains an adapter but no weights; the adapter
    /// is merged into the base model
    #[arg(long, value_name = "MODEL")]
    base: Option<String>,
}

impl Fetching {
    pub(super) fn hub(&self, models: &[String], quiet: bool) -> Result<Hub> {
        let mut hub = Hub::from_env()?;
        if let Some(revision) = &self.revision {
            if let Some(name) = models.iter().find(|name| !hub::is_id(name)) {
                let reason = format!(
                    "applies to hub ids only, but `{name}` is not a hub id; leave out --revision, or use \
                     `{name}` in a separate command"
                );
                return Err(Error::Parameter { name: "--revision", reason });
            }
            hub = hub.with_revision(revision)?;
        }
        if let Some(base) = &self.base {
            hub = hub.with_base(base);
        }
        if self.offline {
            hub = hub.offline();
        }
        Ok(if quiet { hub } else { hub.with_progress().with_notes(status) })
    }
}

/// The flags for opening models.
#[derive(Debug, Clone, Args)]
pub(super) struct Opening {
    /// Precision to round the weights to; the arithmetic is always f32
    #[arg(
        long,
        value_parser = choice(&Precision::ALL, Precision::name, Precision::describe),
        default_value = "f32"
    )]
    dtype: Precision,
    /// Whether to put a beginning-of-sequence token before every prompt or window, including windows of a
    /// single token
    #[arg(long, value_parser = choice(&Bos::ALL, Bos::name, Bos::describe), default_value = "auto")]
    bos: Bos,
    /// Device for the computation: cpu, or cuda[:N] in a build with the feature `cuda`
    #[arg(long, default_value_t = Device::Cpu, value_name = "DEVICE")]
    pub(super) device: Device,
    /// Memory limit for weights and residual streams, such as 6G or 900M; larger streams go to a temporary
    /// file, and larger weights are read from their file block by block
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    max_memory: Option<u64>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// How unknown keys of config.json are treated.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigFlags {
    /// Accept this key of config.json although the model's own code (auto_map) may read it; this is safe only
    /// for a key that does not change the residual streams; may be given several times
    #[arg(long, value_name = "KEY")]
    pub(super) allow_config_key: Vec<String>,
}

impl From<Opening> for ModelOptions {
    fn from(opening: Opening) -> Self {
        let Opening { dtype, bos, device, max_memory, config } = opening;
        let allow_config_keys = config.allow_config_key;
        Self { dtype, bos, device, max_memory_bytes: max_memory, with_random_init: false, allow_config_keys }
    }
}
