//! `Spec`: what a decoder is, as data. An architecture file fills it from a published config.json; the one [`Decoder`] obeys it.
//!
//! [`Decoder`]: super::decoder::Decoder

/// How activations are normalised before attention, MLP and head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Norm {
    /// Layer norm with weight and bias; `eps` is added to the variance.
    Layer {
        /// Added to the variance.
        eps: f64,
    },
    /// Root-mean-square norm with weight; `eps` is added to the mean square.
    Rms {
        /// Added to the mean square.
        eps: f64,
    },
}

/// The non-linearity of the MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`, "gelu_new" in published configs.
    GeluTanh,
    /// `x * sigmoid(x)`.
    Silu,
}

/// How positions enter.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// A learned vector per position, added to the embedding.
    Learned,
    /// Rotary embedding of queries and keys, halves rotated against each other: angle `position * inv_freq[i]`.
    Rotary {
        /// One inverse frequency per rotated pair, computed in f64 from the config and never read from the file.
        inv_freq: Vec<f32>,
    },
}

/// The switches and sizes of one decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads; divides `n_heads`.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width inside the MLP.
    pub d_mlp: usize,
    /// Longest window.
    pub max_positions: usize,
    /// Norm kind, everywhere the same.
    pub norm: Norm,
    /// MLP non-linearity.
    pub activation: Activation,
    /// How positions enter.
    pub positions: Positions,
    /// Attention scores are multiplied by this before the softmax.
    pub attention_scale: f32,
    /// The head is the transposed embedding.
    pub tied: bool,
    /// Standard deviation of initial weights (`initializer_range`).
    pub init_std: f64,
}

impl Spec {
    /// The first reason why these sizes cannot be a decoder, if any.
    pub fn fault(&self) -> Option<String> {
        let sizes = [
            ("width", self.d_model),
            ("number of blocks", self.n_layers),
            ("vocabulary", self.vocab_size),
            ("number of heads", self.n_heads),
            ("number of key/value heads", self.n_kv_heads),
            ("head width", self.head_dim),
            ("MLP width", self.d_mlp),
            ("number of positions", self.max_positions),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Some(format!("the {name} is 0"));
        }
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            return Some(format!("{} heads cannot share {} key/value heads", self.n_heads, self.n_kv_heads));
        }
        None
    }
}
