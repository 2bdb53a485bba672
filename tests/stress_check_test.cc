// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The checker of the stress test bites: a log by hand keeps every promise, and each entry that is
// left out of it, doubled, late or wrong breaks one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/event_listener.h"
#include "foxtive/supervision_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/stress/check.h"
#include "tests/stress/fate.h"
#include "tests/stress/log.h"

namespace foxtive::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kSeed = 1;
using Log = std::vector<Entry>;

// Its first attempt waits, with a callback for its stop; the second does neither.
bool Waits(const Fate& fate) {
  return fate.ConductOf(1) == Conduct::kAwaitsCondition && fate.LeavesCallback(1) &&
         fate.PatienceOf(1) > absl::ZeroDuration() &&
         fate.PatienceOf(1) < absl::InfiniteDuration() && fate.ConductOf(2) == Conduct::kNothing &&
         !fate.LeavesCallback(2);
}

// Fails twice, by an error and by an exception, which are all the attempts that it has.
bool IsPlain(const Fate& fate) {
  return fate.limit == 2 && !fate.has_setup && fate.has_hooks && !fate.hooks_throw &&
         fate.delay > absl::ZeroDuration() && fate.name == absl::StrCat(fate.number) &&
         fate.OutcomeOf(1) == Outcome::kError && fate.OutcomeOf(2) == Outcome::kException &&
         fate.MayRestart(1) && fate.MayRestart(2) && Waits(fate);
}

Fate PlainFate() {
  for (int32_t number = 0;; ++number) {
    const Fate fate = Fate::Make(kSeed, number);
    if (IsPlain(fate)) return fate;
  }
}

int64_t Told(SupervisionStatus status) {
  return NumberOf({.total_attempts = 2, .final_status = status});
}

// Its life, without the events. What is not in it: a stop, a setup.
Log GoodLog(const Fate& fate, int64_t began = 1000) {
  const int64_t initial = absl::ToInt64Nanoseconds(fate.initial_delay);
  const int64_t delay = absl::ToInt64Nanoseconds(fate.delay);
  Log log;
  int64_t now = began;
  const auto add = [&](What what, int64_t number) {
    log.push_back({.nanos = now, .task = fate.number, .what = what, .number = number});
  };
  add(What::kSubmitting, 0);
  add(What::kAccepted, 1);
  now += initial;
  add(What::kRunBegins, 1);
  add(What::kCallbackLeft, 1);
  add(What::kCallbackMade, 0);
  add(What::kWaits, 0);
  now += absl::ToInt64Nanoseconds(fate.PatienceOf(1));
  add(What::kWaited, NumberOf(Waited{.code = absl::StatusCode::kDeadlineExceeded}));
  add(What::kCallbackGone, 1);
  add(What::kRunEnds, 1);
  add(What::kOnError, 1);
  add(What::kShouldRestart, 1);
  now += delay;
  add(What::kOnRestart, 2);
  add(What::kRunBegins, 2);
  add(What::kRunEnds, 2);
  add(What::kOnException, 2);
  add(What::kShouldRestart, 2);
  add(What::kCleanup, 0);
  add(What::kDestroyed, 0);
  add(What::kFinished, Told(SupervisionStatus::kMaxAttemptsReached));
  for (const EventKind kind :
       {EventKind::kAttemptFailed, EventKind::kAttemptFailed, EventKind::kTaskOver}) {
    add(What::kEvent, static_cast<int64_t>(kind));
  }
  return log;
}

std::vector<std::string> Check(const Log& log, int64_t lost = 0) {
  Totals totals;
  return BrokenPromises(kSeed, log, {.lost = lost, .to_the_end = true}, totals);
}

// The entry that is the first of its kind.
Entry& First(Log& log, What what) {
  for (Entry& entry : log) {
    if (entry.what == what) return entry;
  }
  ADD_FAILURE() << "no such entry";
  return log.front();
}

TEST(StressCheckTest, AGoodLogPasses) {
  EXPECT_THAT(Check(GoodLog(PlainFate())), IsEmpty());
  Totals totals;
  BrokenPromises(kSeed, GoodLog(PlainFate()), {}, totals);
  EXPECT_EQ(totals.tasks, 1);
  EXPECT_EQ(totals.attempts, 2);
  EXPECT_EQ(totals.events, 3);
}

TEST(StressCheckTest, WhateverIsMissingIsMissed) {
  const Log good = GoodLog(PlainFate());
  for (size_t i = 1; i < good.size(); ++i) {
    Log log = good;
    log.erase(log.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_THAT(Check(log), Not(IsEmpty())) << "without entry " << i;
  }
}

TEST(StressCheckTest, WhateverComesTwiceIsFound) {
  const Log good = GoodLog(PlainFate());
  for (size_t i = 1; i < good.size(); ++i) {
    Log log = good;
    log.insert(log.begin() + static_cast<ptrdiff_t>(i), good[i]);
    EXPECT_THAT(Check(log), Not(IsEmpty())) << "entry " << i << " twice";
  }
}

TEST(StressCheckTest, WhateverComesAfterTheResultIsFound) {
  const Log good = GoodLog(PlainFate());
  for (size_t i = 2; First(const_cast<Log&>(good), What::kFinished).number != good[i].number; ++i) {
    Log log = good;
    log.erase(log.begin() + static_cast<ptrdiff_t>(i));
    log.push_back(good[i]);
    EXPECT_THAT(Check(log), Not(IsEmpty())) << "entry " << i << " at the end";
  }
}

TEST(StressCheckTest, AnAttemptThatComesANanosecondEarlyIsFound) {
  Log log = GoodLog(PlainFate());
  for (Entry& entry : log) {
    if (entry.what == What::kRunBegins && entry.number == 2) --entry.nanos;
  }
  EXPECT_THAT(Check(log), Contains(HasSubstr("too early")));
}

// How the wait of the good log has ended instead.
Log WithWait(const Waited& waited) {
  Log log = GoodLog(PlainFate());
  First(log, What::kWaited).number = NumberOf(waited);
  return log;
}

TEST(StressCheckTest, AWaitThatEndsOtherwiseIsFound) {
  using absl::StatusCode;
  EXPECT_THAT(Check(WithWait({.code = StatusCode::kOk, .there = true})), IsEmpty());
  EXPECT_THAT(Check(WithWait({.code = StatusCode::kOk})), Contains(HasSubstr("is not there")));
  EXPECT_THAT(Check(WithWait({.code = StatusCode::kDeadlineExceeded, .there = true})),
              Contains(HasSubstr("gave up")));
  EXPECT_THAT(Check(WithWait({.code = StatusCode::kInternal})), Contains(HasSubstr("refused")));
  EXPECT_THAT(Check(WithWait({.code = StatusCode::kCancelled})),
              Contains(HasSubstr("not asked to stop")));
  Log log = WithWait({.code = StatusCode::kCancelled, .stopped = true});
  EXPECT_THAT(Check(log), Contains(HasSubstr("nobody asked for")));
  log = WithWait({.code = StatusCode::kOk, .there = true});
  First(log, What::kWaits).number = 1;
  EXPECT_THAT(Check(log), Contains(HasSubstr("did not win")));
  log = GoodLog(PlainFate());
  --First(log, What::kWaited).nanos;
  EXPECT_THAT(Check(log), Contains(HasSubstr("over too early")));
}

TEST(StressCheckTest, ACallbackThatIsCalledOtherwiseIsFound) {
  const Log good = GoodLog(PlainFate());
  for (size_t i = 1; i < good.size(); ++i) {
    Log log = good;
    const Entry call = {.task = log[0].task, .what = What::kCallbackCalled, .number = 1};
    log.insert(log.begin() + static_cast<ptrdiff_t>(i), call);
    EXPECT_THAT(Check(log), Not(IsEmpty())) << "a call before entry " << i;
  }
  Log log = good;
  First(log, What::kCallbackMade).number = 1;
  EXPECT_THAT(Check(log), Contains(HasSubstr("did not call at once")));
}

TEST(StressCheckTest, AResultThatSaysSomethingElseIsFound) {
  for (const SupervisionStatus status :
       {SupervisionStatus::kCompletedNormally, SupervisionStatus::kRestartPrevented,
        SupervisionStatus::kSetupFailed, SupervisionStatus::kManuallyStopped,
        SupervisionStatus::kAbandoned}) {
    Log log = GoodLog(PlainFate());
    First(log, What::kFinished).number = Told(status);
    EXPECT_THAT(Check(log), Not(IsEmpty())) << status;
  }
  Log log = GoodLog(PlainFate());
  First(log, What::kFinished).number += 16;
  EXPECT_THAT(Check(log), Contains(HasSubstr("number of attempts")));
}

TEST(StressCheckTest, AStopThatSaidTrueAndChangedNothingIsFound) {
  Log log = GoodLog(PlainFate());
  log.push_back({.task = log[0].task, .what = What::kStopAnswered, .number = 1});
  EXPECT_THAT(Check(log), Contains(HasSubstr("its verdict stood")));
  First(log, What::kFinished).number = Told(SupervisionStatus::kManuallyStopped);
  EXPECT_THAT(Check(log), Contains(HasSubstr("on_shutdown was left out")));
  log.push_back(log.back());
  EXPECT_THAT(Check(log), Contains(HasSubstr("true twice")));
}

TEST(StressCheckTest, ALostEventAndOverlapsAreFound) {
  EXPECT_THAT(Check(GoodLog(PlainFate()), /*lost=*/1), Not(IsEmpty()));
  Log log = GoodLog(PlainFate());
  log.push_back({.task = log[0].task, .what = What::kOverlap});
  EXPECT_THAT(Check(log), Contains(HasSubstr("overlapped")));
  log.back().task = StressLog::kNoTask;
  EXPECT_THAT(Check(log), Contains(HasSubstr("overlapped")));
}

TEST(StressCheckTest, ATaskThatWasRefusedAndRunsIsFound) {
  Log log = GoodLog(PlainFate());
  First(log, What::kAccepted).number = 0;
  EXPECT_THAT(Check(log), Contains(HasSubstr("refused, and lives")));
}

TEST(StressCheckTest, AResultThatNobodyRegisteredForIsNotHandedOut) {
  Log log = GoodLog(PlainFate());
  log.push_back({.task = log[0].task, .what = What::kHandedOut});
  EXPECT_THAT(Check(log), Contains(HasSubstr("handed out")));
  log[0].number = 1;  // registered
  EXPECT_THAT(Check(log), IsEmpty());
  log.push_back(log.back());
  EXPECT_THAT(Check(log), Contains(HasSubstr("handed out")));
}

// Two lives of one name, one inside the other.
TEST(StressCheckTest, ANameThatTwoTasksHaveIsFound) {
  std::vector<Fate> fates;
  for (int32_t number = 0; fates.size() < 2; ++number) {
    const Fate fate = Fate::Make(kSeed, number);
    if (fate.name == "shared 0") fates.push_back(fate);
  }
  Log log;
  for (const What what : {What::kAccepted, What::kRunBegins, What::kDestroyed}) {
    for (const Fate& fate : fates) log.push_back({.task = fate.number, .what = what, .number = 1});
  }
  EXPECT_THAT(Check(log), Contains(HasSubstr("two tasks were called 'shared 0'")));
  std::swap(log[1], log[4]);
  EXPECT_THAT(Check(log), Not(Contains(HasSubstr("two tasks were called"))));
}

}  // namespace
}  // namespace foxtive::test
