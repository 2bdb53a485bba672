#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# The benchmark runs, and reports each of its workloads. How fast it is is not judged here.
#
#   restart_test.sh <restart>
set -euo pipefail

lines=({Error,Exception}/{BareOneTbb,Foxtive,Thread}.*ns_per_restart=
  Lateness/{Foxtive,Thread}.*late_us_p99=)
options=(--quick)
# The thread sanitizer does not see that oneTBB orders what it hands over.
if [[ -n "${TSAN_OPTIONS-}" ]]; then
  lines=("${lines[@]/*BareOneTbb*/}")
  options+=(--benchmark_filter=-BareOneTbb)
fi

output="$("$1" "${options[@]}")"
for line in "${lines[@]}"; do
  if ! grep -q "$line" <<<"$output"; then
    echo "no line like $line in:" >&2
    echo "$output" >&2
    exit 1
  fi
done
