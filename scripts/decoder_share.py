#!/usr/bin/env python3
"""Count the decoder classes of transformers that surmise opens.

    python scripts/decoder_share.py          (transformers 5.24, and surmise on the path)

Prints how many of the model types with a causal language model in transformers are in the list of
`surmise list architectures`, then the supported and the unsupported types. Unsupported types that are not
decoders according to their config (`is_decoder` is off, or there is an encoder) are listed separately: BERT
and similar models are in transformers' table because a setting makes them causal.
"""

import os
import subprocess

from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL


def opens():
    """The model types that surmise opens."""
    command = [os.environ.get("SURMISE", "surmise"), "list", "architectures"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in out.splitlines() if line.strip()}


def is_encoder(kind):
    """Whether the models of a type are encoders, or contain an encoder."""
    try:
        config = CONFIG_MAPPING[kind]()
    except Exception:
        return False
    return bool(getattr(config, "is_encoder_decoder", False)) or getattr(config, "is_decoder", None) is False


def main():
    known = opens()
    here = sorted(kind for kind in CAUSAL if kind in known)
    encoders = sorted(kind for kind in CAUSAL if kind not in known and is_encoder(kind))
    rest = sorted(set(CAUSAL) - set(here) - set(encoders))
    decoders = len(CAUSAL) - len(encoders)
    print(f"{len(here)} of {len(CAUSAL)} open ({len(here) / len(CAUSAL):.0%})")
    print(f"{len(here)} of the {decoders} that are decoders ({len(here) / decoders:.0%})")
    print("open:", " ".join(here))
    print("refused:", " ".join(rest))
    print("encoders, or with an encoder:", " ".join(encoders))


if __name__ == "__main__":
    main()
