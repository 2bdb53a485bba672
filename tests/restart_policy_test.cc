// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/restart_policy.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(RestartPolicyTest, NeverAllowsOneAttempt) {
  EXPECT_FALSE(RestartPolicy::Never().AllowsRestartAfter(1));
  EXPECT_FALSE(RestartPolicy::Never().AllowsRestartAfter(kMost));
}

TEST(RestartPolicyTest, AlwaysHasNoLimit) {
  EXPECT_TRUE(RestartPolicy::Always().AllowsRestartAfter(1));
  EXPECT_TRUE(RestartPolicy::Always().AllowsRestartAfter(kMost));
}

TEST(RestartPolicyTest, MaxAttemptsCountsTheFirstOne) {
  EXPECT_FALSE(RestartPolicy::MaxAttempts(1).AllowsRestartAfter(1));
  EXPECT_TRUE(RestartPolicy::MaxAttempts(3).AllowsRestartAfter(1));
  EXPECT_TRUE(RestartPolicy::MaxAttempts(3).AllowsRestartAfter(2));
  EXPECT_FALSE(RestartPolicy::MaxAttempts(3).AllowsRestartAfter(3));
  EXPECT_FALSE(RestartPolicy::MaxAttempts(3).AllowsRestartAfter(4));
  EXPECT_TRUE(RestartPolicy::MaxAttempts(kMost).AllowsRestartAfter(kMost - 1));
  EXPECT_FALSE(RestartPolicy::MaxAttempts(kMost).AllowsRestartAfter(kMost));
}

TEST(RestartPolicyTest, OnlyNeverIsNever) {
  EXPECT_TRUE(RestartPolicy::Never().is_never());
  EXPECT_FALSE(RestartPolicy::MaxAttempts(1).is_never());
  EXPECT_FALSE(RestartPolicy::Always().is_never());
}

TEST(RestartPolicyTest, S20_RefusesLessThanOneAttempt) {
  const absl::Status none = RestartPolicy::MaxAttempts(0).Validate();
  EXPECT_EQ(none.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(none.message(), "restart_policy.max_attempts: 0 is less than 1");
  EXPECT_EQ(RestartPolicy::MaxAttempts(-1).Validate().message(),
            "restart_policy.max_attempts: -1 is less than 1");
  EXPECT_EQ(RestartPolicy::MaxAttempts(kLeast).Validate().message(),
            "restart_policy.max_attempts: -9223372036854775808 is less than 1");
}

TEST(RestartPolicyTest, AcceptsEverythingElse) {
  EXPECT_EQ(RestartPolicy::MaxAttempts(1).Validate(), absl::OkStatus());
  EXPECT_EQ(RestartPolicy::MaxAttempts(kMost).Validate(), absl::OkStatus());
  EXPECT_EQ(RestartPolicy::Never().Validate(), absl::OkStatus());
  EXPECT_EQ(RestartPolicy::Always().Validate(), absl::OkStatus());
}

TEST(RestartPolicyTest, RefusedPoliciesAllowNoRestart) {
  EXPECT_FALSE(RestartPolicy::MaxAttempts(0).AllowsRestartAfter(1));
  EXPECT_FALSE(RestartPolicy::MaxAttempts(kLeast).AllowsRestartAfter(1));
}

}  // namespace
}  // namespace foxtive
