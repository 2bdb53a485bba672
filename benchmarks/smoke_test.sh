#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# A benchmark runs, and reports each of its workloads. How fast it is is not judged here.
#
#   smoke_test.sh <binary> <regular expression of a line of its output>...
set -euo pipefail

readonly binary="$1"
lines=("${@:2}")
options=(--quick)
# The thread sanitizer does not see that oneTBB orders what it hands over.
if [[ -n "${TSAN_OPTIONS-}" ]]; then
  lines=("${lines[@]/*BareOneTbb*/}")
  options+=(--benchmark_filter=-BareOneTbb)
fi

output="$("$binary" "${options[@]}")"
for line in "${lines[@]}"; do
  if ! grep -q "$line" <<<"$output"; then
    echo "no line like $line in:" >&2
    echo "$output" >&2
    exit 1
  fi
done
