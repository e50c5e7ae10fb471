//! Rounds weights, so that the effect of half precision can be measured.

use serde::{Deserialize, Serialize};

/// The precision that weights are rounded to before use. Only this rounding has an effect: the arithmetic is
/// always in f32, because half precision is not faster on a CPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// No rounding: f32, f16 and bf16 are exact in f32.
    #[default]
    F32,
    /// bfloat16, with 8 significant bits.
    Bf16,
    /// IEEE half precision, with 11 significant bits and no values beyond 65504.
    F16,
}

impl Precision {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// A one-line description.
    pub fn describe(self) -> &'static str {
        match self {
            Self::F32 => "no rounding: f32, f16 and bf16 are exact in f32",
            Self::Bf16 => "bfloat16, 8 significant bits",
            Self::F16 => "IEEE half precision, 11 significant bits and no values beyond 65504",
        }
    }

    pub(super) fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::Bf16 => half::bf16::from_f32(value).to_f32(),
            Self::F16 => half::f16::from_f32(value).to_f32(),
        }
    }
}
