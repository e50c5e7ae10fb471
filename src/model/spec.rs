//! Describes decoders as data. An architecture file fills a [`Spec`] from a published config.json, and the
//! [`Decoder`] computes what the `Spec` describes.
//!
//! [`Decoder`]: super::decoder::Decoder

/// How the residual stream is normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Norm {
    /// Layer norm.
    Layer {
        /// Added to the variance.
        eps: f64,
        /// Whether the norm has a weight and a bias.
        affine: bool,
    },
    /// Root-mean-square norm with weight.
    Rms {
        /// Added to the mean square.
        eps: f64,
        /// Whether the file stores the weight minus 1 (Gemma), so that loading must add 1.
        offset: bool,
    },
}

/// The non-linearity of the MLP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`, "gelu_new" in published configs.
    GeluTanh,
    /// `x / 2 * (1 + erf(x / sqrt 2))`, "gelu" in published configs.
    GeluErf,
    /// `max(x, 0)`.
    Relu,
    /// `max(x, 0)^2`.
    SquaredRelu,
    /// `x * sigmoid(x)`.
    Silu,
    /// `g * sigmoid(alpha * g) * (u + 1)`, where `g` is the gate clipped to at most `limit`, and `u` is `up`
    /// clipped to `-limit..=limit` (gpt-oss). For gated MLPs only.
    ClampedSwiGlu {
        /// Slope of the sigmoid.
        alpha: f32,
        /// Upper limit of the gate, and limit of the absolute value of `up`.
        limit: f32,
    },
}

/// How a block combines its branches `f`, attention and MLP, with the residual stream `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockForm {
    /// `h + f(norm(h))`, attention first.
    Pre,
    /// `norm(h + f(h))` (OPT-350m): the norm applies to the stream itself.
    PostResidual,
    /// `h + post_norm(f(norm(h)))` (Gemma 2 and 3).
    Sandwich,
    /// `h + norm(f(h))` (OLMo 2).
    PostBranch,
    /// `h + attention(norm(h)) + mlp(norm(h))`: both branches read the same stream, through one norm or two.
    Parallel {
        /// Whether both branches share one norm.
        shared_norm: bool,
    },
}

/// A table of rotary angles: `position * inv_freq[i]` for pair `i` of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// One inverse frequency per rotated pair, computed in f64 from the config; any values in the weight file
    /// are ignored. Only the first `2 * inv_freq.len()` values of a head are rotated.
    pub inv_freq: Vec<f32>,
    /// Factor that multiplies the cosines and sines (LongRoPE and YaRN).
    pub attention_factor: f32,
    /// Whether pair `i` consists of the values `2 i` and `2 i + 1` (GPT-J) instead of `i` and `i + pairs`.
    pub interleaved: bool,
}

/// The settings that can differ between the blocks of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layer {
    /// Number of tokens in the sliding window, including the token itself. If absent, attention is full.
    pub window: Option<usize>,
    /// Index in [`Spec::ropes`] of the rotary table for queries and keys, if any.
    pub rope: Option<usize>,
    /// Whether the block has a mixture of experts instead of an MLP.
    pub mixture: bool,
}

/// How the weights of the chosen experts are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpertWeights {
    /// Softmax over the router's logits of the chosen experts: the weights add up to 1.
    SoftmaxOfChosen,
    /// Softmax over the router's logits of all experts: the chosen weights add up to less than 1.
    SoftmaxOfAll,
    /// Sigmoid of the router's logit for each chosen expert (DeepSeek).
    Sigmoid,
    /// Sigmoid of the router's logit for each chosen expert, divided by the sum of these sigmoids.
    NormalisedSigmoid,
}

/// Groups of consecutive experts. The score of a group is the sum of the scores of its two best experts. A
/// token chooses its experts from the groups with the largest scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertGroups {
    /// Number of groups. All groups have the same size.
    pub n: usize,
    /// Number of groups that a token chooses from.
    pub n_chosen: usize,
}

/// An MLP in a mixture that processes every token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedExpert {
    /// Width of the hidden layer.
    pub d_mlp: usize,
    /// Whether the output is multiplied by the sigmoid of a linear map of the input (Qwen2-MoE).
    pub gated: bool,
}

/// A mixture of experts: a router sends each token to a few of many MLPs and adds their weighted outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// Number of experts.
    pub n_experts: usize,
    /// Number of experts per token. The experts with the largest scores are chosen.
    pub n_chosen: usize,
    /// Width of an expert's hidden layer.
    pub d_expert: usize,
    /// How the weights of the chosen experts are computed.
    pub weights: ExpertWeights,
    /// Factor that multiplies the weights.
    pub scale: f64,
    /// Whether each expert has a bias that affects the choice of experts but not their weights.
    pub choice_bias: bool,
    /// The groups from which experts are chosen; all experts if absent.
    pub groups: Option<ExpertGroups>,
    /// Whether the router has a bias.
    pub router_bias: bool,
    /// The expert that processes every token, if any.
    pub shared: Option<SharedExpert>,
}

/// Query-key normalisation (QK norm), of the same kind as the other norms of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkNorm {
    /// Each head is normalised separately, with the same weights.
    Head,
    /// Each head is normalised separately, with its own weights (Cohere).
    EachHead,
    /// All heads are normalised together.
    Full,
}

/// Which linear maps have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Biases {
    /// Queries, keys and values.
    pub qkv: bool,
    /// The map from the heads' outputs to the residual stream.
    pub output: bool,
    /// The maps of the MLP.
    pub mlp: bool,
    /// The map to logits.
    pub head: bool,
}

impl Biases {
    /// Biases in every map of a block, but not in the head.
    pub const BLOCKS: Self = Self { qkv: true, output: true, mlp: true, head: false };
}

/// Attention with linear biases (ALiBi): scores decrease linearly with the distance between query and key.
#[derive(Debug, Clone, PartialEq)]
pub struct Alibi {
    /// One slope per head.
    pub slopes: Vec<f32>,
    /// Whether the bias is computed in bf16 and multiplied by the attention scale (Falcon).
    pub is_rounded: bool,
}

impl Alibi {
    /// The bias that is added to a scaled score, up to a constant for each query, which the softmax cancels.
    pub fn bias(&self, head: usize, query: usize, key: usize, scale: f32) -> f32 {
        let slope = self.slopes[head];
        if self.is_rounded {
            let rounded = |value: f32| half::bf16::from_f32(value).to_f32();
            rounded(rounded(slope) * rounded(key as f32)) * scale
        } else {
            -slope * (query - key) as f32
        }
    }
}

/// The sizes and settings of a decoder. In the default value, all sizes are 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the embedding. If it differs from `d_model`, linear maps convert between the two (OPT-350m).
    pub d_embedding: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Number of blocks that a file may contain after block `L` (GLM 4.5). They do not affect the states.
    pub n_further_blocks: usize,
    /// Number of rows of the embedding.
    pub vocab_size: usize,
    /// Number of query heads.
    pub n_heads: usize,
    /// Number of key and value heads; divides `n_heads`.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the MLP's hidden layer.
    pub d_mlp: usize,
    /// Maximum number of tokens in a window.
    pub max_positions: usize,

    /// Factor that multiplies the embedding.
    pub embedding_scale: f64,
    /// Whether the embedding is normalised (BLOOM).
    pub embedding_norm: bool,
    /// Row of position 0 in the table of learned positions; absent if the model has no learned positions.
    pub learned_positions: Option<usize>,

    /// Kind of all norms.
    pub norm: Norm,
    /// Whether layer norms with weights also have biases.
    pub norm_bias: bool,
    /// How a block combines its branches with the stream.
    pub form: BlockForm,
    /// Factor that multiplies the output of a branch before the output is added to the stream (Granite).
    pub residual_scale: f64,
    /// Rotary tables, indexed by [`Layer::rope`].
    pub ropes: Vec<Rope>,
    /// The settings of each block.
    pub layers: Vec<Layer>,
    /// Factor that multiplies the attention scores before the softmax.
    pub attention_scale: f32,
    /// The `cap` by which each attention score `s` becomes `cap * tanh(s / cap)`, if any.
    pub attention_softcap: Option<f32>,
    /// Linear biases of the attention scores, if any.
    pub alibi: Option<Alibi>,
    /// Queries, keys and values are clipped to `-clip_qkv..=clip_qkv` (OLMo).
    pub clip_qkv: Option<f64>,
    /// Whether each head has an attention sink, a learned score that enters the softmax (gpt-oss).
    pub sinks: bool,
    /// Query-key normalisation (QK norm), before rotary positions unless `qk_norm_after_rope` is set.
    pub qk_norm: Option<QkNorm>,
    /// Whether queries and keys are normalised after rotary positions are applied (HunYuan).
    pub qk_norm_after_rope: bool,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// Whether the MLP multiplies `up` by an activated gate.
    pub gated: bool,
    /// The experts of the blocks that have a mixture.
    pub mixture: Option<Mixture>,
    /// Which maps have a bias.
    pub biases: Biases,

    /// Whether a norm precedes the head.
    pub final_norm: bool,
    /// Whether the head shares its weights with the embedding.
    pub tied: bool,
    /// Factor that multiplies the logits.
    pub logit_scale: f64,
    /// Like `attention_softcap`, but for the logits after their multiplication by `logit_scale`.
    pub logit_softcap: Option<f64>,

    /// Standard deviation of random initial weights (`initializer_range`).
    pub init_std: f64,
    /// Standard deviation of random initial weights of maps whose outputs are added to the stream.
    pub residual_init_std: f64,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            d_model: 0,
            d_embedding: 0,
            n_layers: 0,
            n_further_blocks: 0,
            vocab_size: 0,
            n_heads: 0,
            n_kv_heads: 0,
            head_dim: 0,
            d_mlp: 0,
            max_positions: 0,
            embedding_scale: 1.0,
            embedding_norm: false,
            learned_positions: None,
            norm: Norm::Layer { eps: 1e-5, affine: true },
            norm_bias: true,
            form: BlockForm::Pre,
            residual_scale: 1.0,
            ropes: vec![],
            layers: vec![],
            attention_scale: 1.0,
            attention_softcap: None,
            alibi: None,
            clip_qkv: None,
            sinks: false,
            qk_norm: None,
            qk_norm_after_rope: false,
            activation: Activation::GeluTanh,
            gated: false,
            mixture: None,
            biases: Biases::default(),
            final_norm: true,
            tied: true,
            logit_scale: 1.0,
            logit_softcap: None,
            init_std: 0.02,
            residual_init_std: 0.02,
        }
    }
}

impl Spec {
    /// The first reason why these settings do not describe a valid decoder, if any.
    pub fn fault(&self) -> Option<String> {
        let sizes = [
            ("width", self.d_model),
            ("width of the embedding", self.d_embedding),
            ("number of blocks", self.n_layers),
            ("vocabulary size", self.vocab_size),
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
            return Some(format!(
                "the number of heads, {}, is not a multiple of the number of key/value heads, {}",
                self.n_heads, self.n_kv_heads
            ));
        }
        if self.layers.len() != self.n_layers {
            return Some(format!(
                "there are settings for {} blocks, but the model has {} blocks",
                self.layers.len(),
                self.n_layers
            ));
        }
        if self.layers.iter().any(|layer| layer.window == Some(0)) {
            return Some("the attention window is 0".into());
        }
        self.mixture.as_ref().and_then(Mixture::fault)
    }
}

impl Mixture {
    fn fault(&self) -> Option<String> {
        let Self { n_experts, n_chosen, d_expert, shared, groups, .. } = *self;
        if n_experts == 0 || d_expert == 0 || shared.is_some_and(|shared| shared.d_mlp == 0) {
            return Some("a mixture of experts has no experts, or experts of width 0".into());
        }
        if n_chosen == 0 || n_chosen > n_experts {
            return Some(format!("the number of experts per token is {n_chosen}, not from 1 to {n_experts}"));
        }
        let ExpertGroups { n, n_chosen: chosen } = groups?;
        let size = n_experts.checked_div(n).filter(|size| size * n == n_experts && *size > 1);
        let fits = size.is_some_and(|size| (1..=n).contains(&chosen) && chosen * size >= n_chosen);
        (!fits).then(|| {
            format!(
                "each token uses {n_chosen} experts from {chosen} of {n} groups, which is impossible with \
                 {n_experts} experts"
            )
        })
    }
}

/// The ALiBi slopes of `n` heads. If `n` is a power of two, the slopes are `2^(-8 i / n)` for `i = 1..=n`.
/// Otherwise they are the slopes of the next lower power of two, followed by every other slope of the next
/// higher power of two.
///
/// # References
/// Press, Smith and Lewis 2022, "Train Short, Test Long".
pub fn alibi_slopes(n_heads: usize) -> Vec<f32> {
    let slope = |i: usize, n: usize| (-8.0 * i as f64 / n as f64).exp2() as f32;
    let lower = if n_heads.is_power_of_two() { n_heads } else { n_heads.next_power_of_two() / 2 };
    let rest = (0..n_heads - lower).map(|i| slope(2 * i + 1, 2 * lower));
    (1..=lower).map(|i| slope(i, lower)).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alibi_slopes_halve_from_head_to_head_and_fill_up_from_the_next_power() {
        assert_eq!(alibi_slopes(8), [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625]);
        assert_eq!(alibi_slopes(3), [0.0625, 0.00390625, 0.25]);
        assert_eq!(alibi_slopes(1), [0.00390625]);
    }
}
