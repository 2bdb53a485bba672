#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# Installs what is missing, builds, and consumes Kafka topics while the processing crashes and the
# brokers fail; see examples/kafka/kafka_consumer.cc.
#
#   examples/kafka.sh                            brokers of its own; takes about 35 s
#   examples/kafka.sh --brokers=host:9092,...    real ones; nothing is done to them
#   examples/kafka.sh --help                     all flags
#
# The last line is the verdict; exit status 0: no message was lost, and each that was processed
# twice is explained by a crash before its commit.
set -euo pipefail

readonly package=examples/kafka

say() { echo "kafka.sh: $*" >&2; }

# Without a word, unless it fails.
build() {
  local output
  output="$(bazel build "//$package:kafka_consumer" 2>&1)" && return
  echo "$output" >&2
  return 1
}

main() {
  local here="$PWD" bin
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
  bash bazel/install_dependencies.sh kafka
  say "building; the first time takes a minute"
  build
  bin="$(bazel info bazel-bin 2>/dev/null)/$package"
  cd "$here" # a file that an argument names is meant from there
  exec "$bin/kafka_consumer" "$@"
}

main "$@"
