#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Runs a command with address space randomisation off, where that is permitted. The sanitizers'
# run-times of gcc 12 and clang 14 cannot place their shadow memory on kernels that randomise with
# more than 28 bits: about one run in a few then dies before main.
set -euo pipefail
readonly without_aslr=(setarch "$(uname -m)" --addr-no-randomize)
if "${without_aslr[@]}" true 2>/dev/null; then
  exec "${without_aslr[@]}" "$@"
fi
exec "$@"
