#!/bin/sh
# Writes seeds of the fuzz targets, made from the files of the tests. SURMISE is the binary.
set -eu
cd "$(dirname "$0")"
golden=../tests/golden
surmise=${SURMISE:-surmise}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
seed() {
    mkdir -p "corpus/$1"
    # Equal contents get the same name.
    cp "$2" "corpus/$1/$(sha256sum "$2" | cut -c1-16)"
}
for folder in "$golden"/*/; do
    for pair in config:config.json tokenizer:tokenizer.json safetensors:model.safetensors \
        template:chat_template.jinja; do
        file="$folder${pair#*:}"
        [ ! -f "$file" ] || seed "${pair%%:*}" "$file"
    done
done
for file in "$golden"/gguf/*.gguf "$golden"/gguf/*/*.gguf; do [ ! -f "$file" ] || seed gguf "$file"; done
for file in "$golden"/forms/*/*.bin; do [ ! -f "$file" ] || seed torch "$file"; done
for file in "$golden"/lm_eval/*.json* "$golden"/inspect/*.eval "$golden"/inspect/*.json \
    "$golden"/helm/*/*.json "$golden"/openai_evals/*.jsonl \
    "$golden"/every_eval_ever/*.json* "$golden"/simple_evals/*.json \
    "$golden"/simple_evals/*.html; do [ ! -f "$file" ] || seed imports "$file"; done
for file in "$golden"/providers/*/*; do [ ! -f "$file" ] || seed answers "$file"; done
for file in ../calibration/*.toml; do [ ! -f "$file" ] || seed study "$file"; done
# Bytes that do not begin like JSON choose the parts of a tokenizer.
for folder in gpt2 llama-gqa bloom olmo phi qwen2 qwen3 mistral; do
    tail -c 200 "$golden/$folder/model.safetensors" >"$made/choices"
    seed tokenizer "$made/choices"
done
# A small card.
head -10 "$golden/calibration/obs_tidy.csv" >"$made/table.csv"
"$surmise" calibrate "$made/table.csv" --target bench_mmlu --features bench_arc_c,bench_gsm8k -q \
    -o "$made/card.json"
seed card "$made/card.json"
# The pickles in the archives.
for file in "$golden"/forms/*/*.bin; do
    python3 - "$file" "$made/data.pkl" <<'END'
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
open(sys.argv[2], "wb").write(archive.read(name))
END
    seed pickle "$made/data.pkl"
done
mkdir -p corpus/template corpus/journal
cat >corpus/template/roles <<'END'
{%- if messages[0]['role'] == 'system' %}{% set head = messages[0].content.strip() %}{% endif -%}
{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}
{%- endif %}<|{{ m.role }}|>{{ m['content'] | trim | replace('a', 'b') }}{{ eos_token }}{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}
END
cat >corpus/template/macros <<'END'
{% macro turn(m, i=0) %}[{{ loop_count | default(i) }}] {{ m.content.split('\n')[-1] | upper | tojson }}
{%- endmacro %}
{% set ns = namespace(n=0) %}{% for m in messages | selectattr('role', 'ne', 'system') %}
{%- set ns.n = ns.n + 1 %}
{{ turn(m, i=ns.n) }}{% if not loop.last %}, {% else %}{% break %}{% endif %}{% endfor %}
{% for i in range(3) %}{{ '%d' | format(i) }}{% endfor %}
{{ strftime_now('%d %b %Y') if strftime_now is defined }}
END
key=3440e12f32644716572ab576973848cb3afedee87c8a18829867fded4867f4de
cat >corpus/journal/one <<END
{"record":"configuration","schema":{"name":"surmise-journal","version":1,"tool_version":"0.1.0"},"at":"2026-11-30T03:02:30.113Z","configuration":{"model":"m"}}
{"record":"intent","key":"$key","attempt":1,"probe":true,"at":"2026-11-30T03:02:30.121Z","task":"probe","item":"probe","replicate":0,"reserve_usd":0.0000304,"path":"/chat/completions","body":"{}"}
{"record":"outcome","key":"$key","attempt":1,"probe":true,"at":"2026-11-30T03:02:30.127Z","elapsed_s":0.0056,"outcome":"answered","status":200,"headers":[["content-type","application/json"]],"body":"{}","cost_usd":0.0000304}
{"record":"intent","key":"$key","attempt":2,"at":"2026-11-30T03:02:30.127Z","task":"items","item":"q1","replicate":0,"path":"/chat/completions","body":"{}"}
{"record":"outcome","key":"$key","attempt":2,"at":"2026-11-30T03:02:31Z","elapsed_s":1e3,"outcome":"failed","class":"unknown","error":"x","body_base64":"AAAA","possibly_paid":true,"incomplete":true,"crashed":true}
END
# The first byte of these files chooses the report or the route.
mkdir -p corpus/reports corpus/requests corpus/inputs
for first in 0 1 2 3 4 5 6; do
    for file in ../calibration/*.csv; do
        { printf "%b" "\\0$first"; head -c 20000 "$file"; } >"corpus/reports/$first-$(basename "$file")"
    done
done
first=0
for file in "$golden/calibration/obs_tidy.csv" ../calibration/rows.csv ../data/nations.csv; do
    { printf "%b" "\\0$first"; head -c 4000 "$file"; } >"corpus/inputs/$first"
    first=$((first + 1))
done
printf '\3group,text\nhuman,"red, green"\nb,blue\n' >corpus/inputs/3
printf '\4{"id": "q", "prompt": "x", "answers": ["y"], "choices": ["y", "z"]}\n' >corpus/inputs/4
printf '\5date = 2026-11-01\n[models."m"]\ninput_usd_per_million_tokens = 0.4\noutput_usd_per_million_tokens = 1.6\n' \
    >corpus/inputs/5
printf '\0{"model": "minigpt-1", "prompt": "red,", "max_tokens": 2}' >corpus/requests/completion
printf '\0{"model": "minigpt-1", "prompt": ["a", [1, 2]], "max_tokens": 3, "n": 2, "logprobs": 5, "stop": ["b"], "echo": true, "temperature": 0.7, "top_p": 0.9, "seed": 1, "stream": true, "suffix": null, "logit_bias": {"5": -100}}' >corpus/requests/all
printf '\1{"model": "minigpt-1", "messages": [{"role": "user", "content": "red"}]}' >corpus/requests/chat
