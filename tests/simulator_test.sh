#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   simulator_test.sh <simulator>
#
# The simulator on a fixed list of seeds; that a seed means the same twice; that a wrong option is
# refused; and that each planted fault is found.
set -euo pipefail
readonly simulator="$1"

"$simulator" --first=1 --worlds=1500

for seed in 7 40 333; do
  [[ "$("$simulator" --seed=$seed)" == "$("$simulator" --seed=$seed)" ]] || {
    echo "simulator_test.sh: seed $seed is not the same twice" >&2
    exit 1
  }
done

if "$simulator" --sed=1 2>/dev/null; then
  echo 'simulator_test.sh: a wrong option is taken' >&2
  exit 1
fi

"$simulator" --faults
