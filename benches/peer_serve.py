"""Measures `generate` of PyTorch transformers on prompts of the same shape as in benches/serve.rs, which runs
this script. Usage: peer_serve.py FOLDER"""

import sys
import time

import torch
import transformers

PROMPT, LENGTH, CALLS = 8, 60, 5
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
torch.set_num_threads(2)
for batch in (1, 16):
    ids, best = torch.randint(2, model.config.vocab_size, (batch, PROMPT)), float("inf")
    for _ in range(CALLS):
        start = time.perf_counter()
        with torch.no_grad():
            model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                min_new_tokens=LENGTH - PROMPT,
                max_new_tokens=LENGTH - PROMPT,
                pad_token_id=0,
            )
        best = min(best, time.perf_counter() - start)
    tokens = batch * (LENGTH - PROMPT)
    print(
        f"{batch:7} {1e3 * best / (LENGTH - PROMPT):10.3f} {tokens / best:10.0f}   "
        f"transformers {transformers.__version__}, generate, a batch of {batch}"
    )
