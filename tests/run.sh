#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs what is missing and runs all tests anew, or the ones that are named.
#
#   bash tests/run.sh [option or target of `bazel test`...]
#
#   tests/run.sh                                     everything
#   tests/run.sh --config=tsan //tests/...           one folder with the thread sanitizer
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

bash bazel/install_dependencies.sh build

targets=(//...)
for argument in "$@"; do
  # A target, or the mark behind which only targets come.
  [[ "$argument" == -* && "$argument" != -- ]] || targets=()
done
exec bazel test --nocache_test_results "$@" "${targets[@]}"
