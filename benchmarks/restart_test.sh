#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# The benchmark runs, and reports each of its workloads. How fast it is is not judged here.
#
#   restart_test.sh <restart>
set -euo pipefail

output="$("$1" --quick)"
for line in {Error,Exception}/{BareOneTbb,Foxtive,Thread}.*ns_per_restart= \
  Lateness/{Foxtive,Thread}.*late_us_p99=; do
  if ! grep -q "$line" <<<"$output"; then
    echo "no line like $line in:" >&2
    echo "$output" >&2
    exit 1
  fi
done
