#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs the Debian packages that a group of tasks needs, if any is missing.
#
#   bash bazel/install_dependencies.sh [group...]
#
#   build      what `bazel test //...` needs (the default)
#   examples   what the programs in examples/ need: the same without the test and benchmark libraries
#   kafka      what examples/kafka.sh needs: those for the examples, and librdkafka
#   peers      what benchmarks/run.sh --peers needs besides build: event loops and supervisors
#   format     what .ci/run needs besides build: clang-format
#   deep       what tests/deep.sh and tests/fuzz.sh need besides build: clang and its sanitizers
#   tidy       what tests/tidy.sh needs besides build: clang-tidy
#   coverage   what tests/coverage.sh needs besides build: clang, its counters, and LLVM to read them
#   consumers  what tests/consumers.sh needs besides build: CMake and make
#
# Exits with 0, fast and without a word, where everything is there. Otherwise installs as root or with
# sudo; where it can be neither, says which packages to install and exits with 1. Waits up to ten
# minutes for another installation to end. On a system that is not Debian's it installs nothing: it
# says what to provide if there is no Bazel, else trusts.
set -euo pipefail

readonly bazel_packages=(bazel-bootstrap bazel-rules-java bazel-rules-proto)
readonly library_packages=(g++ pkg-config libabsl-dev libtbb-dev)
readonly test_packages=(libgtest-dev libgmock-dev libbenchmark-dev nlohmann-json3-dev)

say() { echo "install_dependencies.sh: $*" >&2; }

is_installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed* ]]
}

# A Bazel that did not come from the distribution brings its own rules.
has_own_bazel() { command -v bazel >/dev/null && ! is_installed bazel-bootstrap; }

packages_of_group() {
  case "$1" in
    build)
      packages_of_group examples && printf '%s\n' "${test_packages[@]}"
      ;;
    examples)
      printf '%s\n' "${library_packages[@]}"
      has_own_bazel || printf '%s\n' "${bazel_packages[@]}"
      ;;
    kafka) packages_of_group examples && echo librdkafka-dev ;;
    peers)
      printf '%s\n' libboost-dev libevent-dev libuv1-dev erlang-base golang-go \
        golang-github-thejerf-suture-dev
      ;;
    format) echo clang-format ;;
    # The libraries of the sanitizers are a package that clang only recommends.
    deep) printf '%s\n' clang libclang-rt-14-dev ;;
    tidy) echo clang-tidy ;;
    coverage) printf '%s\n' clang libclang-rt-14-dev llvm ;;
    consumers) printf '%s\n' cmake make ;;
    *)
      say "there is no group '$1': build, examples, kafka, peers, format, deep, tidy, coverage, consumers"
      return 1
      ;;
  esac
}

# Runs a command as root.
as_root() {
  if [[ "$(id -u)" == 0 ]]; then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo --non-interactive "$@"
  fi
}

can_be_root() {
  [[ "$(id -u)" == 0 ]] || { command -v sudo >/dev/null && as_root true 2>/dev/null; }
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get --quiet=2 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@"
}

install() {
  local log
  log="$(mktemp)"
  say "installing $*"
  if ! { apt_get update && apt_get install --yes --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    say "could not install: $*"
    return 1
  fi
  rm -f "$log"
}

main() {
  local groups=("${@:-build}") group wanted packages=() missing=() package
  for group in "${groups[@]}"; do
    wanted="$(packages_of_group "$group")"
    mapfile -t -O "${#packages[@]}" packages <<<"$wanted"
  done

  if ! command -v dpkg-query >/dev/null; then
    command -v bazel >/dev/null && return 0
    say "this is not a Debian system. Please provide what these packages hold: ${packages[*]}"
    return 1
  fi
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if ! can_be_root; then
    say "neither root nor sudo. Please install: apt-get install ${missing[*]}"
    return 1
  fi
  install "${missing[@]}"
}

main "$@"
