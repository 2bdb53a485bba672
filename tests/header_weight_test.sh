#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# What the headers that others include everywhere must not drag in: a program that only describes
# tasks pays neither for StatusOr nor for <future>.
set -euo pipefail

headers_of() { g++ -std=c++20 -I include -M -x c++ "include/foxtive/$1" | tr ' ' '\n'; }

for header in task_spec.h restart_policy.h backoff_strategy.h run_function.h; do
  headers="$(headers_of "$header")"
  # So that the check can fail: this one is in all of them.
  grep -q 'absl/status/status\.h$\|absl/time/time\.h$' <<<"$headers"
  if heavy="$(grep -E 'absl/status/statusor\.h$|/c\+\+/[0-9.]*/future$' <<<"$headers")"; then
    echo "header_weight_test.sh: $header includes $heavy" >&2
    exit 1
  fi
done
headers_of supervisor.h | grep -q '/future$'  # that is how it would be seen
