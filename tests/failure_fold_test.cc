// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/failure_fold.h"

#include <cstdint>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kWindow = FailureFold::kWindowNanos;
constexpr bool kSame = true, kOther = false;

// Counts what is told, and what the told ones stand for.
class Log {
 public:
  bool Fail(bool same, int64_t now, bool last = false, bool delivered = true) {
    ++failures_;
    if (!fold_.Count(same, last, now)) return false;
    if (delivered) accounted_ += 1 + fold_.folded();
    fold_.Told(delivered, now);
    return delivered;
  }
  int64_t failures() const { return failures_; }
  int64_t accounted() const { return accounted_; }

 private:
  FailureFold fold_;
  int64_t failures_ = 0;
  int64_t accounted_ = 0;
};

TEST(FailureFoldTest, TheFifthOfAKindIsFolded) {
  Log log;
  EXPECT_TRUE(log.Fail(kOther, 0));
  for (int i = 2; i <= 4; ++i) EXPECT_TRUE(log.Fail(kSame, 0)) << i;
  for (int i = 5; i <= 100; ++i) EXPECT_FALSE(log.Fail(kSame, kWindow - 1)) << i;
  EXPECT_EQ(log.accounted(), 4);
}

TEST(FailureFoldTest, OneInTenSecondsIsToldWithTheExactCount) {
  Log log;
  int told = 0;
  for (int64_t now = 0; now <= 100 * kWindow + kWindow / 10; now += kWindow / 100) {
    if (log.Fail(now == 0 ? kOther : kSame, now)) ++told;
  }
  EXPECT_EQ(told, 4 + 100);
  EXPECT_EQ(log.accounted(), log.failures() - 7) << "the last one was told at 100.03 windows";
}

TEST(FailureFoldTest, TheWindowBeginsWithWhatWasToldLast) {
  Log log;
  EXPECT_TRUE(log.Fail(kOther, 0));
  for (int i = 2; i <= 4; ++i) EXPECT_TRUE(log.Fail(kSame, 5'000));
  EXPECT_FALSE(log.Fail(kSame, 5'000 + kWindow - 1));
  EXPECT_TRUE(log.Fail(kSame, 5'000 + kWindow));
  EXPECT_EQ(log.accounted(), log.failures());
  EXPECT_FALSE(log.Fail(kSame, 5'000 + kWindow + 1'000));
}

TEST(FailureFoldTest, AnotherFailureIsToldAtOnce) {
  Log log;
  log.Fail(kOther, 0);
  for (int i = 0; i < 50; ++i) log.Fail(kSame, 0);
  EXPECT_TRUE(log.Fail(kOther, 1));
  EXPECT_EQ(log.accounted(), log.failures());
}

TEST(FailureFoldTest, FailuresThatDifferDoNotFloodEither) {
  Log log;
  int told = 0;
  for (int i = 0; i < 1000; ++i) told += log.Fail(kOther, i) ? 1 : 0;
  EXPECT_EQ(told, FailureFold::kMaxInWindow);
  EXPECT_TRUE(log.Fail(kOther, kWindow));
  EXPECT_FALSE(log.Fail(kSame, kWindow) && log.Fail(kSame, kWindow) && log.Fail(kSame, kWindow) &&
               log.Fail(kSame, kWindow));
}

TEST(FailureFoldTest, TheLastOneIsAlwaysTold) {
  Log log;
  log.Fail(kOther, 0);
  for (int i = 0; i < 50; ++i) log.Fail(kSame, 0);
  EXPECT_TRUE(log.Fail(kSame, 0, /*last=*/true));
  EXPECT_EQ(log.accounted(), log.failures());
}

TEST(FailureFoldTest, WhatWasNotDeliveredIsCountedWithTheNext) {
  Log log;
  EXPECT_FALSE(log.Fail(kOther, 0, false, /*delivered=*/false));
  EXPECT_FALSE(log.Fail(kSame, 0, false, /*delivered=*/false));
  EXPECT_TRUE(log.Fail(kSame, 0));
  EXPECT_EQ(log.accounted(), 3);
}

TEST(FailureFoldTest, NothingIsEverLostFromTheCount) {
  std::mt19937_64 random(20261129);
  for (int round = 0; round < 200; ++round) {
    Log log;
    int64_t now = static_cast<int64_t>(random() % 1000) - 500;
    for (int i = 0; i < 200; ++i) {
      now += static_cast<int64_t>(random() % 4) * kWindow / 8;
      log.Fail(random() % 3 != 0, now, false, random() % 4 != 0);
    }
    EXPECT_TRUE(log.Fail(kSame, now, /*last=*/true));
    EXPECT_EQ(log.accounted(), log.failures());
  }
}

TEST(AreAlikeTest, CodeAndMessageCount) {
  const absl::Status down = absl::UnavailableError("down");
  const absl::Status copy = down;
  EXPECT_TRUE(ShareOneText(down, copy));
  EXPECT_TRUE(AreAlike(down, copy));
  EXPECT_FALSE(ShareOneText(down, absl::UnavailableError("down")));
  EXPECT_TRUE(AreAlike(down, absl::UnavailableError("down"))) << "the same text";
  EXPECT_FALSE(AreAlike(down, absl::UnavailableError("dawn")));
  EXPECT_FALSE(AreAlike(down, absl::AbortedError("down")));
  EXPECT_FALSE(AreAlike(absl::OkStatus(), down));
  const absl::Status silent(absl::StatusCode::kAborted, "");
  EXPECT_FALSE(ShareOneText(silent, silent)) << "without a text nothing shows that it is one";
  EXPECT_TRUE(AreAlike(silent, absl::Status(absl::StatusCode::kAborted, "")));
}

TEST(AreAlikeTest, WhatIsAddedToACopyIsNotShared) {
  const absl::Status down = absl::UnavailableError("down");
  absl::Status marked = down;
  marked.SetPayload("mark", absl::Cord("true"));
  EXPECT_FALSE(ShareOneText(down, marked));
}

}  // namespace
}  // namespace foxtive::internal
