//! `Spec`: what a decoder is, as data. An architecture file fills it from a published config.json; the one
//! [`Decoder`] obeys it.
//!
//! [`Decoder`]: super::decoder::Decoder

/// How states are normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Norm {
    /// Layer norm.
    Layer {
        /// Added to the variance.
        eps: f64,
        /// With weight and bias.
        affine: bool,
    },
    /// Root-mean-square norm with weight.
    Rms {
        /// Added to the mean square.
        eps: f64,
        /// The file holds the weight less 1 (Gemma); 1 is added when it is loaded.
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
    /// `x * sigmoid(alpha * x)` of gates cut off above `limit`, times `up + 1`, `up` clamped to plus or minus
    /// `limit` (gpt-oss). Only of gated MLPs.
    ClampedSwiGlu {
        /// Steepness of the sigmoid.
        alpha: f32,
        /// Largest gate, and largest size of `up`.
        limit: f32,
    },
}

/// How attention and MLP, the branches `f` of a block, stand around the residual stream `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockForm {
    /// `h + f(norm(h))`, attention first.
    Pre,
    /// `norm(h + f(h))` (OPT-350m): the stream itself is normalised.
    PostResidual,
    /// `h + post_norm(f(norm(h)))` (Gemma 2 and 3).
    Sandwich,
    /// `h + norm(f(h))` (OLMo 2).
    PostBranch,
    /// `h + attention(norm(h)) + mlp(norm(h))`: both branches read the same stream, through one norm or two.
    Parallel {
        /// One norm for both.
        shared_norm: bool,
    },
}

/// A table of rotary angles: `position * inv_freq[i]` for pair `i` of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// One inverse frequency per rotated pair, computed in f64 from the config and never read from the file.
    /// The first `2 * inv_freq.len()` values of a head are rotated, the others pass.
    pub inv_freq: Vec<f32>,
    /// Cosines and sines are multiplied by this (LongRoPE).
    pub attention_factor: f32,
    /// Pair `i` is the values `2 i` and `2 i + 1` (GPT-J), not `i` and `i + pairs`.
    pub interleaved: bool,
}

/// The settings in which blocks of one decoder can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layer {
    /// A token sees the last `window` tokens of its path, itself included; all of them if absent.
    pub window: Option<usize>,
    /// Which of the spec's rotary tables turns queries and keys, if any.
    pub rope: Option<usize>,
    /// The block has the spec's mixture of experts in place of an MLP.
    pub mixture: bool,
}

/// How much each chosen expert counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpertWeights {
    /// Softmax of the router's logits of the chosen experts: they add up to 1.
    SoftmaxOfChosen,
    /// Softmax of the router's logits of all experts: those of the chosen ones add up to less.
    SoftmaxOfAll,
    /// The sigmoid of each router's logit (DeepSeek).
    Sigmoid,
    /// The same, divided by the sum over the chosen experts.
    NormalisedSigmoid,
}

/// Groups of neighbouring experts, some of which a token chooses from: those whose two best experts have the
/// largest sum of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertGroups {
    /// Groups, all of one size.
    pub n: usize,
    /// Groups that a token chooses from.
    pub n_chosen: usize,
}

/// An MLP of a mixture that every token goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedExpert {
    /// Width inside.
    pub d_mlp: usize,
    /// Its output is multiplied by the sigmoid of a linear map of its input (Qwen2-MoE).
    pub gated: bool,
}

/// A mixture of experts: a router sends each token to a few of many MLPs, whose outputs are weighted and
/// added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// Experts.
    pub n_experts: usize,
    /// Experts that a token goes to: those with the largest logits, the first of equal ones.
    pub n_chosen: usize,
    /// Width inside an expert.
    pub d_expert: usize,
    /// How much each counts.
    pub weights: ExpertWeights,
    /// The weights are multiplied by this.
    pub scale: f64,
    /// Experts are chosen by their scores (the sigmoid, or the softmax over all) plus a bias of each, which
    /// does not count in the weights.
    pub choice_bias: bool,
    /// Experts are chosen from some groups alone.
    pub groups: Option<ExpertGroups>,
    /// The router has a bias.
    pub router_bias: bool,
    /// The expert of all tokens, if there is one.
    pub shared: Option<SharedExpert>,
}

/// A norm of queries and keys, of the kind of the other norms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkNorm {
    /// Each head by itself, with one weight for all.
    Head,
    /// Each head by itself, with weights of its own (Cohere).
    EachHead,
    /// All heads together.
    Full,
}

/// Which linear maps have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Biases {
    /// Queries, keys and values.
    pub qkv: bool,
    /// The map from heads to stream.
    pub output: bool,
    /// The maps of the MLP.
    pub mlp: bool,
    /// The head.
    pub head: bool,
}

impl Biases {
    /// A bias in every map of a block, none in the head.
    pub const BLOCKS: Self = Self { qkv: true, output: true, mlp: true, head: false };
}

/// Attention with linear biases: scores fall with the distance of the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Alibi {
    /// One for each head.
    pub slopes: Vec<f32>,
    /// Slopes, positions and their products are rounded to bf16, and scaled with the scores (Falcon).
    pub is_rounded: bool,
}

impl Alibi {
    /// What is added to the scaled score of a key at position `key` for a query at position `query`, up to a
    /// constant of the query.
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

/// The switches and sizes of one decoder. The default has no size and every switch off.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the embedding; maps lead from it to the stream and back where it differs from `d_model`
    /// (OPT-350m).
    pub d_embedding: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Blocks that may stand in the file behind the last: they predict tokens further on (GLM 4.5), and
    /// change no state.
    pub n_further_blocks: usize,
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

    /// The embedding is multiplied by this.
    pub embedding_scale: f64,
    /// The embedding is normalised (BLOOM).
    pub embedding_norm: bool,
    /// A learned vector per position is added to the embedding; the number is the table's row of position 0.
    pub learned_positions: Option<usize>,

    /// Norm kind, everywhere the same.
    pub norm: Norm,
    /// Layer norms with weights have biases too.
    pub norm_bias: bool,
    /// How a block is put together.
    pub form: BlockForm,
    /// The output of a branch is multiplied by this before it is added to the stream (Granite).
    pub residual_scale: f64,
    /// Rotary tables that the layers refer to.
    pub ropes: Vec<Rope>,
    /// The settings of each block.
    pub layers: Vec<Layer>,
    /// Attention scores are multiplied by this before the softmax.
    pub attention_scale: f32,
    /// Attention scores `s` become `cap * tanh(s / cap)`.
    pub attention_softcap: Option<f32>,
    /// Each head's scores fall with distance, if they do.
    pub alibi: Option<Alibi>,
    /// Queries, keys and values are clamped to plus or minus this (OLMo).
    pub clip_qkv: Option<f64>,
    /// Each head has a learned score beside those of its keys, which takes attention from them (gpt-oss).
    pub sinks: bool,
    /// Queries and keys are normalised before they are rotated.
    pub qk_norm: Option<QkNorm>,
    /// They are normalised after they are rotated instead (HunYuan).
    pub qk_norm_after_rope: bool,
    /// MLP non-linearity.
    pub activation: Activation,
    /// The MLP multiplies `up` by an activated gate.
    pub gated: bool,
    /// The experts of those layers that have a mixture.
    pub mixture: Option<Mixture>,
    /// Which maps have a bias.
    pub biases: Biases,

    /// A norm stands before the head.
    pub final_norm: bool,
    /// The head is the transposed embedding.
    pub tied: bool,
    /// Logits are multiplied by this.
    pub logit_scale: f64,
    /// Logits `s` become `cap * tanh(s / cap)`, after the scale.
    pub logit_softcap: Option<f64>,

    /// Standard deviation of initial weights (`initializer_range`).
    pub init_std: f64,
    /// The same for the maps back into the residual stream.
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
    /// The first reason why these sizes cannot be a decoder, if any.
    pub fn fault(&self) -> Option<String> {
        let sizes = [
            ("width", self.d_model),
            ("width of the embedding", self.d_embedding),
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
        if self.layers.len() != self.n_layers {
            return Some(format!("{} blocks are described, there are {}", self.layers.len(), self.n_layers));
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
            return Some("a mixture has no experts, or experts of width 0".into());
        }
        if n_chosen == 0 || n_chosen > n_experts {
            return Some(format!("each token goes to {n_chosen} of {n_experts} experts"));
        }
        let ExpertGroups { n, n_chosen: chosen } = groups?;
        let size = n_experts.checked_div(n).filter(|size| size * n == n_experts && *size > 1);
        let fits = size.is_some_and(|size| (1..=n).contains(&chosen) && chosen * size >= n_chosen);
        (!fits).then(|| {
            format!(
                "each token goes to {n_chosen} of the experts in {chosen} of {n} groups, and there are \
                 {n_experts} experts"
            )
        })
    }
}

/// ALiBi's slope of each head: `2^(-8 i / n)` for `i = 1..=n` where `n` is a power of two. Otherwise the
/// slopes of the next lower power, and then every other slope of the next higher one.
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
