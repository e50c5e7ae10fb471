//! Merges adapters, small weight files that change the weights of a checkpoint. A LoRA over linear maps is
//! merged when the weights are read. Any other adapter is an error that names its kind.
//!
//! # References
//! Hu et al. 2022, "LoRA"; Kalajdzievski 2023 for the scale of `use_rslora`. The config keys and tensor names
//! follow peft.

mod lora;
mod settings;

pub(in crate::model::weights) use self::lora::Adapter;
pub use self::settings::base_of;

/// The settings file of an adapter.
pub const CONFIG: &str = "adapter_config.json";
/// The weight files of an adapter, in order of preference.
pub const WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];
