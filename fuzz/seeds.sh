#!/bin/sh
# Seeds of the targets, from the files of the tests.
set -eu
cd "$(dirname "$0")"
golden=../tests/golden
seed() {
    mkdir -p "corpus/$1"
    # One name for one content.
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
for file in "$golden"/lm_eval/*.json; do [ ! -f "$file" ] || seed imports "$file"; done
for file in "$golden"/providers/*/*; do [ ! -f "$file" ] || seed answers "$file"; done
for file in ../calibration/*.toml ../data/*.toml; do [ ! -f "$file" ] || seed study "$file"; done
for file in ../calibration/*card*.json "$golden"/calibration/*card*.json; do
    [ ! -f "$file" ] || seed card "$file"
done
# The first byte of these chooses the report or the route.
mkdir -p corpus/reports corpus/requests
for first in 0 1 2 3 4 5 6; do
    for file in ../calibration/*.csv; do
        { printf "%b" "\\0$first"; head -c 20000 "$file"; } >"corpus/reports/$first-$(basename "$file")"
    done
done
printf '\0{"model": "minigpt-1", "prompt": "red,", "max_tokens": 2}' >corpus/requests/completion
printf '\1{"model": "minigpt-1", "messages": [{"role": "user", "content": "red"}]}' >corpus/requests/chat
