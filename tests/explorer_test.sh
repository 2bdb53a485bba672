#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   explorer_test.sh <explorer>
#
# All scenarios, in all orders with up to two deviations; and that a wrong option is refused.
set -euo pipefail
readonly explorer="$1"

"$explorer" --bound=2

if "$explorer" --bounds=2 2>/dev/null; then
  echo 'explorer_test.sh: a wrong option is taken' >&2
  exit 1
fi
