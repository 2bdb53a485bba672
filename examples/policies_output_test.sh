#!/bin/bash
# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
#   policies_output_test.sh <policies> <policies.txt>
#
# The tour prints what the file shows. After a change that is meant: policies >policies.txt.
set -euo pipefail

"$1" | diff -u "$2" -
