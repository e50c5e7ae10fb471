#!/bin/sh
# Runs every target for SECONDS (default 600), one after another, continues after crashes, and prints a table:
#   fuzz/all.sh [SECONDS [TARGET ...]]
# Logs and failing inputs are in fuzz/artifacts/TARGET. LOGS_ONLY=1 prints the rows of the last runs.
set -u
cd "$(dirname "$0")/.."
seconds=${1:-600}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- tokenizer template reports gguf torch pickle card journal requests imports inputs \
    study answers config safetensors
echo "| target | runs | minutes | inputs that failed |"
echo "|---|---|---|---|"
for target in "$@"; do
    folder=fuzz/artifacts/$target
    mkdir -p "$folder" "fuzz/corpus/$target"
    if [ -z "${LOGS_ONLY:-}" ]; then
        cargo +nightly fuzz run "$target" -- -fork=1 -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1 \
            -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 >"$folder.log" 2>&1
    fi
    runs=$(sed -n 's/^#\([0-9]*\): cov.*/\1/p' "$folder.log" | tail -n 1)
    took=$(sed -n 's/^#[0-9]*: cov.* time: \([0-9]*\)s.*/\1/p' "$folder.log" | tail -n 1)
    failed=$(find "$folder" -type f | wc -l)
    echo "| \`$target\` | ${runs:-0} | $((${took:-0} / 60)) | $failed |"
done
