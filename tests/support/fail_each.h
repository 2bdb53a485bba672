// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// FailEach: a call finds no memory, at each of its allocations in turn.

#ifndef FOXTIVE_TESTS_SUPPORT_FAIL_EACH_H_
#define FOXTIVE_TESTS_SUPPORT_FAIL_EACH_H_

#include <gtest/gtest.h>

#include <cstdint>

#include "absl/status/status.h"
#include "tests/support/failing_allocator.h"

namespace foxtive::test {

inline void Nothing() {}

// Makes the call that `prepare` returns while its first allocation fails, then the second one, ...
// until it needs no more and says `answer`. As often as it fails it has to say that there is no
// memory; an error it may also name without the text. `check` sees to it that it did nothing.
template <typename Prepare, typename Check>
void FailEach(absl::StatusCode answer, Prepare prepare, Check check) {
  int64_t failing = 1;
  for (;; ++failing) {
    auto call = prepare();
    FailAllocationHere(failing);
    const absl::Status status = call();
    if (!EndFailureHere()) {
      EXPECT_EQ(status.code(), answer) << status;
      break;
    }
    const bool named = answer != absl::StatusCode::kOk && status.code() == answer;
    EXPECT_TRUE(named || status.code() == absl::StatusCode::kResourceExhausted)
        << failing << ": " << status;
    check();
  }
  EXPECT_GT(failing, 1) << "allocates nothing";
}

// The same for a call that needs nothing to be prepared.
template <typename Call, typename Check>
void FailEachOf(absl::StatusCode answer, Call call, Check check) {
  FailEach(
      answer, [&call] { return [&call] { return call(); }; }, check);
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_FAIL_EACH_H_
