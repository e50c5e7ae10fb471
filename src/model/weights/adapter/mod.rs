//! Adapters: small files of weights that change those of a checkpoint. A LoRA over linear maps is merged, so
//! that nothing after the reading knows of it; every other kind is refused by name.
//!
//! # References
//! Hu et al. 2022, "LoRA"; Kalajdzievski 2023 for the scale of `use_rslora`. Keys and names are those of
//! peft.

mod lora;
mod settings;

pub(in crate::model::weights) use self::lora::Adapter;
pub use self::settings::base_of;

/// The settings of an adapter.
pub const CONFIG: &str = "adapter_config.json";
/// Its weights, the best first.
pub const WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];
