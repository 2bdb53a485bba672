// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Pools of 64 lanes that come and go beside a host that loops: all jobs run, the control never goes
// down, and there are never more lane arenas than lanes have lived at once. In a binary of its own,
// because it counts what the whole process has.

#include <algorithm>
#include <deque>
#include <latch>
#include <thread>

#include "gtest/gtest.h"
#include "lib/shell/capacity_registry.h"
#include "tests/support/host.h"
#include "tests/support/pool_under_test.h"

namespace foxtive::internal {
namespace {

using test::FunctionJob;
using test::PoolUnderTest;

constexpr int kLanes = 64;

// Runs a job on each of kLanes lanes at once.
void FillAndEmpty() {
  std::latch all_inside(kLanes);
  PoolUnderTest pool(kLanes);
  std::deque<FunctionJob> jobs;
  for (int i = 0; i < kLanes; ++i) {
    jobs.emplace_back([&all_inside] {
      all_inside.arrive_and_wait();
      return Job::Outcome::kDone;
    });
    ASSERT_TRUE(pool->Push(jobs.back()));
  }
  for (FunctionJob& job : jobs) job.AwaitReleased();
  // Closing waits for lanes at rest, not for one that is about to be.
  while (pool->resting() < kLanes) std::this_thread::yield();
}

TEST(LaneChurnTest, PoolsThatComeAndGoUseTheSameArenasAndNeverLowerTheControl) {
  const test::BusyHost host;
  const CapacityRegistry& registry = CapacityRegistry::Get();
  int parallelism = 0;
  for (int round = 0; round < 30; ++round) {
    FillAndEmpty();
    EXPECT_GE(test::AllowedParallelism(), parallelism) << "round " << round;
    parallelism = std::max(parallelism, test::AllowedParallelism());
    EXPECT_EQ(registry.arenas_created(), kLanes) << "round " << round;
    EXPECT_EQ(registry.arenas_pooled(), kLanes) << "round " << round;
    EXPECT_GT(registry.parallelism(), 1 + kLanes);
  }
}

}  // namespace
}  // namespace foxtive::internal
