// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Fuzz target: sequences of calls of the public API, with specs, options and timeouts that may be
// anything. See session.h.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/input.h"
#include "tests/fuzz/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  foxtive::test::Input input(data, size);
  foxtive::test::Session(input).Run();
  return 0;
}
