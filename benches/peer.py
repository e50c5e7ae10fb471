"""Measures the tokens per second of PyTorch on the shapes of benches/decoder.rs: GPT-2 small, random weights,
no head, eager attention, on one and two threads. Each figure is the best of six passes.

python benches/peer.py (needs torch and transformers)
"""

import time

import torch
from transformers import GPT2Config, GPT2Model

model = GPT2Model(GPT2Config(attn_implementation="eager")).eval()
print("windows tokens threads   tokens/s")
for threads in (1, 2):
    torch.set_num_threads(threads)
    for n, t in ((256, 8), (64, 32)):
        ids, best = torch.randint(0, 50257, (n, t)), float("inf")
        for _ in range(6):
            start = time.perf_counter()
            with torch.no_grad():
                model(ids, use_cache=False)
            best = min(best, time.perf_counter() - start)
        print(f"{n:7} {t:6} {threads:7} {n * t / best:10.0f}")
