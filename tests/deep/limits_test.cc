// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S23 with the limits of the kernel: an ordinary user who may have only so many threads, or so much
// memory. Create says that there is nothing to be had, or works; tasks wait for threads; and when
// the limit goes all of them run. Each case has a process of its own. Run by tests/deep.sh.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

constexpr int kTasks = 8;
constexpr int kMostThreads = 14;

// The limits do not hold for root. A user of its own, so that nobody else's processes count.
void BecomeAnOrdinaryUser() {
  if (geteuid() != 0) return;
  const auto user = static_cast<uid_t>(100'000 + getpid());
  Require(setgid(user) == 0 && setuid(user) == 0, "setuid");
}

void SetLimit(int resource, rlim_t limit) {
  rlimit now;
  Require(getrlimit(static_cast<__rlimit_resource>(resource), &now) == 0, "getrlimit");
  now.rlim_cur = std::min(limit, now.rlim_max);
  Require(setrlimit(static_cast<__rlimit_resource>(resource), &now) == 0, "setrlimit");
}

SupervisorOptions Options() {
  SupervisorOptions options;
  options.max_concurrency = kTasks;
  options.listener = nullptr;
  return options;
}

// Under a limit, and then without it. Under the lowest one there is nothing to be had.
void ServeUnder(int resource, rlim_t limit, bool lowest) {
  SetLimit(resource, limit);
  absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Create(Options());
  EXPECT_FALSE(supervisor.ok() && lowest);
  if (!supervisor.ok()) {
    EXPECT_EQ(supervisor.status().code(), absl::StatusCode::kResourceExhausted)
        << supervisor.status();
    SetLimit(resource, RLIM_INFINITY);
    supervisor = Supervisor::Create(Options());
    ASSERT_TRUE(supervisor.ok()) << supervisor.status();
    return Meeting(**supervisor, kTasks).AwaitOver();
  }
  // What asks for one lane at a time is served under the limit.
  for (int i = 0; i < 10; ++i) AwaitResult(Submit(**supervisor, Spec("one", [] {})));
  const Meeting meeting(**supervisor, kTasks);
  SetLimit(resource, RLIM_INFINITY);
  meeting.AwaitOver();
}

class LimitsTest : public testing::TestWithParam<int> {};

// The main thread is one.
TEST_P(LimitsTest, DISABLED_Threads) {
  BecomeAnOrdinaryUser();
  ServeUnder(RLIMIT_NPROC, static_cast<rlim_t>(GetParam()), GetParam() == 1);
}

// In steps of 4 MiB beyond what the process has before it uses the library.
TEST_P(LimitsTest, DISABLED_Memory) {
  BecomeAnOrdinaryUser();
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t now = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  ServeUnder(RLIMIT_AS, now + (static_cast<rlim_t>(GetParam()) << 22), GetParam() == 1);
}

INSTANTIATE_TEST_SUITE_P(All, LimitsTest, testing::Range(1, kMostThreads));

void ExpectAllPass(const char* name) {
  for (int i = 0; i < kMostThreads - 1; ++i) {
    EXPECT_THAT(RunInChild(absl::StrCat("All/LimitsTest.DISABLED_", name, "/", i)), ChildPassed())
        << i;
  }
}

TEST(Limits, S23_TasksWaitForThreadsThatTheKernelRefusesAndRunWhenItGivesThem) {
  ExpectAllPass("Threads");
}

TEST(Limits, S23_TasksWaitForThreadsThatThereIsNoMemoryForAndRunWhenThereIs) {
  ExpectAllPass("Memory");
}

}  // namespace
}  // namespace foxtive::test
