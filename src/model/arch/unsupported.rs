//! Explains why a `model_type` outside the registry is not supported.

/// Unsupported kinds of models: the reason, as the end of a sentence about the model, and the `model_type`s.
pub(in crate::model) const KINDS: [(&str, &[&str]); 6] = [
    (
        "computes its states by recurrence (a state space or a linear RNN), not by attention",
        &["falcon_mamba", "mamba", "mamba2", "rwkv", "xlstm"],
    ),
    (
        "mixes attention with recurrence or convolutions",
        &[
            "bailing_hybrid",
            "bamba",
            "falcon_h1",
            "granitemoehybrid",
            "jamba",
            "kimi_linear",
            "lfm2",
            "lfm2_moe",
            "lfm2_vl",
            "lfm3",
            "minimax",
            "nemotron_h",
            "olmo_hybrid",
            "qwen3_5",
            "qwen3_5_moe",
            "qwen3_5_moe_text",
            "qwen3_5_text",
            "qwen3_next",
            "recurrent_gemma",
            "zamba",
            "zamba2",
            "zaya",
        ],
    ),
    (
        "keeps keys and values in a compressed form (multi-head latent attention)",
        &[
            "deepseek_v2",
            "deepseek_v3",
            "deepseek_v32",
            "deepseek_v4",
            "glm4_moe_lite",
            "kimi_k2",
            "longcat_flash",
            "minicpm3",
            "youtu",
        ],
    ),
    (
        "has heads of different widths, and shares keys and values between blocks",
        &["gemma3n", "gemma3n_text", "gemma4", "gemma4_text", "gemma4_unified", "gemma4_unified_text"],
    ),
    (
        "is an encoder-decoder model, and surmise measures only decoders",
        &["bart", "blenderbot", "marian", "mbart", "pegasus", "prophetnet", "t5", "umt5", "whisper"],
    ),
    (
        "is an encoder: its tokens attend to later tokens, and surmise measures only causal decoders",
        &[
            "albert",
            "bert",
            "camembert",
            "deberta-v2",
            "distilbert",
            "electra",
            "modernbert",
            "roberta",
            "xlm-roberta",
        ],
    ),
];

/// The message for an unsupported `model_type`. `known` lists the supported types.
pub(super) fn reason(model_type: &str, known: &str) -> String {
    let why = KINDS.iter().find(|(_, kinds)| kinds.contains(&model_type)).map(|(why, _)| *why);
    match why {
        Some(why) => format!(
            "model_type `{model_type}` is not supported: it {why}; use a model of one of these types: {known}"
        ),
        None => {
            format!("model_type `{model_type}` is not supported; use a model of one of these types: {known}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::arch::{ALL, MULTIMODAL};

    #[test]
    fn what_is_refused_by_kind_is_not_in_the_registry() {
        let open: Vec<_> = ALL
            .iter()
            .map(|a| a.model_type())
            .chain(MULTIMODAL.iter().map(|whole| whole.model_type))
            .collect();
        for (_, kinds) in KINDS {
            assert!(kinds.is_sorted() && kinds.iter().all(|kind| !open.contains(kind)), "{kinds:?}");
        }
        assert!(reason("lfm2", "llama").contains("it mixes attention with recurrence"));
        assert!(!reason("of_next_year", "llama").contains(": it"));
    }
}
