"""Prints the results of the `openai` package for a server as one JSON object.

Usage: openai_client.py BASE_URL MODEL PROMPT IDS
"""

import json
import sys

import openai

base_url, model, prompt, ids = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)
messages = [{"role": "user", "content": prompt}]
greedy = {"model": model, "temperature": 0, "max_tokens": 8}

plain = client.completions.create(prompt=prompt, logprobs=2, **greedy)
echoed = client.completions.create(model=model, prompt=prompt, max_tokens=0, echo=True, logprobs=0)
by_ids = client.completions.create(model=model, prompt=json.loads(ids), max_tokens=0, echo=True, logprobs=0)
several = client.completions.create(model=model, prompt=prompt, max_tokens=8, n=3, seed=7, temperature=1)
chat = client.chat.completions.create(messages=messages, logprobs=True, top_logprobs=2, **greedy)
streamed = list(client.completions.create(prompt=prompt, stream=True, **greedy))
chat_streamed = list(client.chat.completions.create(messages=messages, stream=True, **greedy))


def refusal(**asked):
    try:
        client.completions.create(**{"model": model, "prompt": prompt, **asked})
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code]


print(
    json.dumps(
        {
            "version": openai.__version__,
            "models": [served.id for served in client.models.list().data],
            "completion": plain.choices[0].text,
            "finish_reason": plain.choices[0].finish_reason,
            "completion_tokens": plain.usage.completion_tokens,
            "top_logprobs": [len(top) for top in plain.choices[0].logprobs.top_logprobs],
            "echoed": echoed.choices[0].text,
            "echoed_logprobs": echoed.choices[0].logprobs.token_logprobs,
            "echoed_by_ids": by_ids.choices[0].logprobs.token_logprobs,
            "several": [choice.text for choice in several.choices],
            "chat": chat.choices[0].message.content,
            "chat_tokens": "".join(token.token for token in chat.choices[0].logprobs.content),
            "streamed": "".join(event.choices[0].text for event in streamed),
            "chat_streamed": "".join(
                event.choices[0].delta.content or "" for event in chat_streamed if event.choices
            ),
            "unknown_model": refusal(model="nobody"),
            "id_out_of_range": refusal(prompt=[999999]),
            "too_long": refusal(prompt=prompt + " ," * 5000),
            "too_many": refusal(n=1000),
        }
    )
)
