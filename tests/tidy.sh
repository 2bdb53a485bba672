#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# clang-tidy over the library, the examples and, with them, the headers: ../.clang-tidy says what it
# looks for, and why it does not look for the rest.
#
#   tests/tidy.sh [file.cc...]      all .cc of lib/ and examples/ by default, but for examples/kafka,
#                                   which needs one more library
#
# Looks for planted faults first. Prints what it finds; exit status 0: nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C

bash bazel/install_dependencies.sh build tidy

work="$(mktemp -d)"
readonly work
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

read -ra flags < <(pkg-config --cflags tbb gtest absl_status absl_statusor absl_strings absl_time)
readonly flags=(-std=c++20 -I"$PWD/include" -I"$PWD" "${flags[@]}")

# tidy <file.cc> <log>: writes what is wrong with it into the log.
tidy() {
  clang-tidy --quiet --config-file=.clang-tidy "$1" -- "${flags[@]}" >"$2" 2>"$2.said" || true
  # What clang says is how much it has suppressed, or that it can't read its configuration, which it
  # then takes for none.
  grep -vE '^[0-9]+ (warning|error)s?( and [0-9]+ errors?)? (generated|treated as errors?)' "$2.said" >>"$2" || true
}

# One fault of each kind, and one in a header of the library.
plant() {
  mkdir -p "$work/lib/core"
  echo 'inline double Half(int n) { return n / 2; }' >"$work/lib/core/planted.h"
  cat >"$work/planted.cc" <<'END'
#include "lib/core/planted.h"
extern "C" char* strerror(int error);
char* Text(int error) { return strerror(error); }
int* At(long address) { return reinterpret_cast<int*>(address); }
END
}

bites() {
  local found check
  plant
  tidy "$work/planted.cc" "$work/planted.log"
  found="$(<"$work/planted.log")"
  for check in bugprone-integer-division concurrency-mt-unsafe performance-no-int-to-ptr; do
    [[ "$found" == *"[$check"* ]] || { echo "tidy.sh: $check does not see what was planted: $found" >&2; return 1; }
  done
}

bites

files=("$@")
if ((${#files[@]} == 0)); then
  mapfile -t files < <(find lib examples -name '*.cc' -not -path 'examples/kafka/*' | sort)
fi

mkdir "$work/logs"
for i in "${!files[@]}"; do
  while (($(jobs -pr | wc -l) >= $(nproc))); do wait -n || true; done
  tidy "${files[i]}" "$work/logs/$i" &
done
wait

found="$(cat "$work"/logs/*[0-9])"
if [[ -n "$found" ]]; then
  printf '%s\n' "$found"
  exit 1
fi
echo "clang-tidy: nothing in ${#files[@]} files"
