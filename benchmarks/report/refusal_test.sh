#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# A file that is missing or broken ends the report, with an error that names it.
#
#   refusal_test.sh <report>
set -euo pipefail

readonly report="$1"
work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT

# refuses <file> <what the error has besides>
refuses() {
  local said status=0
  said="$("$report" "$work/good.json" "$1" 2>&1)" || status=$?
  if [[ "$status" != 1 || "$said" != "report: "*"$1"* || "$said" != *"$2"* ]]; then
    echo "exit status $status, and not a word of $1 and '$2': $said" >&2
    exit 1
  fi
}

echo '{"benchmarks": [{"name": "A/Foxtive/1", "ns": 1}]}' >"$work/good.json"
printf '{"benchmarks": [\n{"name": "A/Foxtive/1", "ns"' >"$work/cut_short.json"
echo '{"benchmarks": 3}' >"$work/other.json"
: >"$work/empty.json"

"$report" "$work/good.json" >/dev/null
refuses "$work/missing.json" "can't read"
refuses "$work" "can't read"
refuses "$work/cut_short.json" 'line 2'
refuses "$work/other.json" 'no list of benchmarks'
refuses "$work/empty.json" 'nothing was measured'
