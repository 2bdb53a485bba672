// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Every backoff that is refused: each parameter of each kind, with each wrong kind of value, from
// the first one beyond its limit to the last.
//
// Thread safety: any thread. Blocking, errors: none.

#ifndef FOXTIVE_TESTS_SUPPORT_BAD_BACKOFFS_H_
#define FOXTIVE_TESTS_SUPPORT_BAD_BACKOFFS_H_

#include <string>
#include <vector>

#include "foxtive/backoff_strategy.h"

namespace foxtive::test {

struct BadBackoff {
  BackoffStrategy strategy;
  std::string message;  // the whole of it
};

std::vector<BadBackoff> BadBackoffs();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_BAD_BACKOFFS_H_
