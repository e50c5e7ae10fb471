#!/usr/bin/env python3
"""Write src/model/arch/config_keys.json: the keys of config.json that transformers reads, per model_type.

    python scripts/config_keys.py          (transformers 5.24, torch)

For every model_type of TYPES the file contains

    config    the name of its config class
    classes   every class of that model_type that an `auto_map` may name without foreign code
    read      the keys that can affect the states: the keys that the classes of its causal language model
              mention, in all spellings, with the default of the class (null if there is none)
    no_effect the other keys of the config class: no code of the model mentions them, or they act only in
              training, or choose between two implementations of the same computation

and under "base" the keys that every config class has and that change no state: outputs, settings of text
generation, labels, provenance. transformers does not read any other key.

The mentioned keys are found in the syntax trees of the modelling files: `config.key`, `self.config.key` and
`getattr(config, "key")` in the classes and functions that the causal language model reaches; and in the
config class, `kwargs.pop("key")` and `self.key`.
"""

import ast
import dataclasses
import importlib
import inspect
import json
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING, GenerationConfig, PreTrainedConfig
from transformers.models.auto import modeling_auto

TYPES = [
    "arcee",
    "bloom",
    "cohere",
    "cohere2",
    "cwm",
    "dots1",
    "ernie4_5",
    "ernie4_5_moe",
    "exaone",
    "exaone4",
    "falcon",
    "flex_olmo",
    "gemma",
    "gemma2",
    "gemma3_text",
    "glm",
    "glm4",
    "glm4_moe",
    "gpt2",
    "gpt_bigcode",
    "gpt_neo",
    "gpt_neox",
    "gpt_oss",
    "gptj",
    "granite",
    "granitemoe",
    "granitemoeshared",
    "helium",
    "hunyuan_v1_dense",
    "hunyuan_v1_moe",
    "hyperclovax",
    "internlm3",
    "iquestcoder",
    "jais2",
    "llama",
    "minimax_m2",
    "ministral",
    "ministral3",
    "mistral",
    "mixtral",
    "mpt",
    "nemotron",
    "olmo",
    "olmo2",
    "olmo3",
    "olmoe",
    "opt",
    "phi",
    "phi3",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
    "seed_oss",
    "smollm3",
    "stablelm",
    "starcoder2",
    "vaultgemma",
]

# Text parts of multimodal models that have their own model_type, with their class.
TEXT_PARTS = {
    "qwen2_5_vl_text": "Qwen2_5_VLTextModel",
    "qwen2_vl_text": "Qwen2VLTextModel",
    "qwen3_vl_text": "Qwen3VLTextModel",
}

# Multimodal models; none of their own keys affects the states of the text part.
WHOLE = [
    "gemma3",
    "idefics3",
    "llava",
    "mistral3",
    "qwen2_5_vl",
    "qwen2_vl",
    "qwen3_vl",
    "smolvlm",
]

# transformers has no class for InternLM 2, because the code of this model comes with its weights. InternLM 2
# is a Llama with one key for all biases.
FOREIGN = {
    "internlm2": dict(
        config="InternLM2Config",
        classes=["InternLM2Config", "InternLM2ForCausalLM", "InternLM2Model"],
        like="llama",
        read={"bias": True},
        unread=["attention_bias", "mlp_bias"],
    )
}

# Keys that shared functions read, by the function that a model calls.
CALLS = {
    "create_causal_mask": ["is_causal"],
    "create_sliding_window_causal_mask": ["is_causal", "sliding_window"],
    "create_masks_for_generate": ["is_causal"],
    "create_chunked_causal_mask": ["is_causal", "attention_chunk_size"],
    "ROPE_INIT_FUNCTIONS": ["head_dim", "max_position_embeddings"],
}

# Spellings of rotary settings that every class with `rope_parameters` accepts.
ROPE = [
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
]

# Keys that every model reads, in addition to the keys of its class.
EVERY = {
    "tie_word_embeddings": None,
    "quantization_config": None,
    "pruned_heads": None,
    "per_layer_config": None,
}

# Keys that the classes of transformers 4 or the original code of a model read, but the classes of
# transformers 5 do not read.
EARLIER = {
    "bloom": ["seq_length"],
    "falcon": ["n_head", "n_layer"],
    "gemma": ["hidden_activation"],
    "gemma3_text": ["rope_local_base_freq", "sliding_window_pattern"],
    "cohere2": ["sliding_window_pattern"],
    "glm4_moe": ["num_nextn_predict_layers"],
    "gpt_neox": ["rotary_emb_base", "rotary_pct"],
    "qwen2": ["sliding_window", "max_window_layers", "use_sliding_window"],
}

# Keys of the base class of transformers 4 that version 5 no longer has, and keys that tools of transformers
# write to the file as information.
BASE_EARLIER = """
_attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash
_experts_implementation _name_or_path _num_labels is_encoder_decoder add_cross_attention attn_implementation
auto_map cross_attention_hidden_size
custom_pipelines decoder_start_token_id encoder_no_repeat_ngram_size exponential_decay_length_penalty
experts_implementation finetuning_task forced_bos_token_id forced_eos_token_id is_decoder mask_token_id
model_type name_or_path num_labels output_attentions output_past output_scores prefix
return_dict_in_generate sep_token_id task_specific_params tf_legacy_loss tie_encoder_decoder tokenizer_class
torch_dtype torchscript typical_p unk_token_id use_bfloat16 cls_token_id gradient_checkpointing
xla_device keys_to_ignore_at_inference num_beam_groups diversity_penalty length_penalty early_stopping
""".split()
# Keys of this list that change states if a class reads them.
BASE_BUT_READ = {"add_cross_attention"}

# Keys that models mention and that change no state of a trained decoder: dropout, initial weights, losses,
# and the order or precision of the same arithmetic.
IGNORED_KEYS = set("""
activation_dropout attention_dropout attention_softmax_in_fp32 attn_pdrop classifier_dropout dropout
embd_pdrop embed_dropout embedding_dropout hidden_dropout initializer_range layerdrop output_router_logits
pretraining_tp reorder_and_upcast_attn resid_dropout resid_pdrop residual_dropout router_aux_loss_coef
router_jitter_noise
scale_attention_softmax_in_fp32 slow_but_exact
""".split())
# Keys of the multimodal model in the same modelling file.
OF_RELATIVES = {"mm_tokens_per_image", "text_config", "vision_config"}


def is_config(node):
    """Whether an expression is the config: `config`, `self.config`, `module.config`."""
    names = {"config"}
    return (isinstance(node, ast.Name) and node.id in names) or (
        isinstance(node, ast.Attribute) and node.attr in names
    )


def mentions(tree):
    """The keys that a syntax tree reads from a config, and the names that it refers to."""
    keys, names = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        if isinstance(node, ast.Attribute) and is_config(node.value):
            keys.add(node.attr)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "hasattr")
            and is_config(node.args[0])
            and isinstance(node.args[1], ast.Constant)
        ):
            keys.add(node.args[1].value)
    return keys, names


def reached(model):
    """The config keys that a model class reads, including the code of its modules that it refers to."""
    keys, done, waiting = set(), set(), [model]
    while waiting:
        thing = waiting.pop()
        if thing in done:
            continue
        done.add(thing)
        module = importlib.import_module(thing.__module__)
        found, names = mentions(ast.parse(inspect.cleandoc("\n" + inspect.getsource(thing))))
        keys |= found
        for name in names:
            keys |= set(CALLS.get(name, []))
            other = getattr(module, name, None)
            # A model that refers to a table of classes, such as kinds of attention, may use all of these
            # classes.
            for part in other.values() if isinstance(other, dict) else [other]:
                if inspect.isclass(part) or inspect.isfunction(part):
                    own = getattr(part, "__module__", "")
                    if ".models." in own and ".modeling_" in own and ".auto." not in own:
                        waiting.append(part)
    return keys


def of_config(cls):
    """The keys that a config class reads from its arguments or uses in computations."""
    keys = set()
    for parent in cls.__mro__:
        if parent is PreTrainedConfig or ".models." not in parent.__module__:
            break
        for node in ast.walk(ast.parse(inspect.cleandoc("\n" + inspect.getsource(parent)))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("validate"):
                node.body = []
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
            ):
                keys.add(node.attr)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("pop", "get")
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "kwargs"
            ):
                keys.add(node.args[0].value)
    return keys


def plain(value):
    """A default as JSON; null if JSON cannot represent it."""
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        return None


def row(model_type, base):
    cls = CONFIG_MAPPING[model_type]
    name = TEXT_PARTS.get(model_type) or modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[model_type]
    # The declared default, before one setting replaces another.
    fields = {
        field.name: None if field.default is dataclasses.MISSING else field.default
        for field in dataclasses.fields(cls)
    }
    keys = reached(getattr(transformers, name)) | of_config(cls)
    keys = {key for key in keys if key in fields or not hasattr(cls, key)} - OF_RELATIVES - {"_is_quantized"}
    if "rope_parameters" in fields:
        keys |= set(ROPE)
    keys |= set(EARLIER.get(model_type, []))
    keys |= {alias for alias, key in cls.attribute_map.items() if key in keys}
    keys |= {key for alias, key in cls.attribute_map.items() if alias in keys}
    own = set(fields) | set(cls.attribute_map)
    ignored = (base - BASE_BUT_READ) | IGNORED_KEYS
    read = EVERY | {key: plain(fields.get(key)) for key in sorted(keys - ignored)}
    read["tie_word_embeddings"] = fields.get("tie_word_embeddings", model_type not in TEXT_PARTS)
    return {
        "config": cls.__name__,
        "classes": classes_of(model_type, cls),
        "read": dict(sorted(read.items())),
        "no_effect": sorted((own | keys) - set(read) - base),
    }


def classes_of(model_type, cls):
    classes = {cls.__name__}
    for mapping, names in vars(modeling_auto).items():
        if mapping.endswith("_MAPPING_NAMES") and isinstance(names, dict) and model_type in names:
            value = names[model_type]
            classes |= {value} if isinstance(value, str) else set(value)
    return sorted(classes)


def row_of_whole(model_type, base):
    cls = CONFIG_MAPPING[model_type]
    own = {field.name for field in dataclasses.fields(cls)} | set(cls.attribute_map)
    return {
        "config": cls.__name__,
        "classes": classes_of(model_type, cls),
        "read": {"quantization_config": None, "tie_word_embeddings": None},
        "no_effect": sorted(own - base - {"quantization_config", "tie_word_embeddings"}),
    }


def main():
    base = {field.name for field in dataclasses.fields(PreTrainedConfig)} | set(BASE_EARLIER)
    base |= set(GenerationConfig._get_default_generation_params())
    base |= {"bos_token_id", "eos_token_id", "pad_token_id", "use_cache", "output_hidden_states"}
    rows = {"base": sorted(base)} | {kind: row(kind, base) for kind in [*TYPES, *TEXT_PARTS]}
    rows |= {kind: row_of_whole(kind, base) for kind in WHOLE}
    for kind, foreign in FOREIGN.items():
        like = rows[foreign["like"]]
        read = {key: value for key, value in like["read"].items() if key not in foreign["unread"]} | foreign[
            "read"
        ]
        rows[kind] = {
            "config": foreign["config"],
            "classes": foreign["classes"],
            "read": dict(sorted(read.items())),
            "no_effect": like["no_effect"],
        }
    out = Path(__file__).resolve().parent.parent / "src/model/arch/config_keys.json"
    text = ",\n".join(f"{json.dumps(kind)}: {json.dumps(value)}" for kind, value in rows.items())
    out.write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
