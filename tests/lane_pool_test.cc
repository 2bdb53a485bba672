// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What blocking jobs on oneTBB demand: each test here fails, or hangs, if a rule at the top of
// lane_pool.h or capacity_registry.h is dropped. lane_churn_test.cc has what concerns the coming
// and going of whole pools.

#include "lib/shell/lane_pool.h"

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <latch>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/host.h"
#include "tests/support/pool_under_test.h"

namespace foxtive::internal {
namespace {

using test::FunctionJob;
using test::PoolUnderTest;
using Outcome = Job::Outcome;

// Jobs that live until the executor has let go of all of them.
class Jobs {
 public:
  ~Jobs() {
    for (FunctionJob& job : jobs_) job.AwaitReleased();
  }

  FunctionJob& Make(std::function<void()> function) {
    return jobs_.emplace_back([function = std::move(function)] {
      function();
      return Outcome::kDone;
    });
  }

  void Push(PoolUnderTest& pool, std::function<void()> function) {
    EXPECT_TRUE(pool->Push(Make(std::move(function))));
  }

 private:
  std::deque<FunctionJob> jobs_;
};

// Pushes `count` jobs that only end when all of them are inside.
void Meet(PoolUnderTest& pool, Jobs& jobs, int count, std::latch& all_inside) {
  for (int i = 0; i < count; ++i) {
    jobs.Push(pool, [&all_inside] { all_inside.arrive_and_wait(); });
  }
}

TEST(LanePoolTest, AHundredJobsAreInsideAtOnce) {
  std::latch all_inside(100);
  PoolUnderTest pool(100);
  Jobs jobs;
  Meet(pool, jobs, 100, all_inside);
}

TEST(LanePoolTest, TwoPoolsHaveTheirJobsInsideAtOnce) {
  std::latch all_inside(80);
  PoolUnderTest one(40), other(40);
  Jobs jobs;
  Meet(one, jobs, 40, all_inside);
  Meet(other, jobs, 40, all_inside);
}

TEST(LanePoolTest, TwoJobsAtOnceOntoAnIdlePoolBothStart) {
  PoolUnderTest pool(2);
  for (int round = 0; round < 500; ++round) {
    std::latch both_inside(2);
    Jobs jobs;
    Meet(pool, jobs, 2, both_inside);
  }
  EXPECT_LE(pool->lanes(), 2);
}

TEST(LanePoolTest, JobsPushedByManyThreadsAtOnceAllStart) {
  PoolUnderTest pool(8);
  for (int round = 0; round < 50; ++round) {
    std::latch all_inside(8);
    std::deque<Jobs> jobs(8);
    std::vector<std::jthread> pushers;
    for (Jobs& mine : jobs) {
      pushers.emplace_back([&] { Meet(pool, mine, 1, all_inside); });
    }
    pushers.clear();
  }
  EXPECT_LE(pool->lanes(), 8);
}

TEST(LanePoolTest, JobsBeyondTheLimitWaitInOrder) {
  PoolUnderTest pool(1);
  std::latch gate(2);
  std::vector<int> order;
  {
    Jobs jobs;
    jobs.Push(pool, [&] { gate.arrive_and_wait(); });
    for (int i = 0; i < 100; ++i) jobs.Push(pool, [&order, i] { order.push_back(i); });
    EXPECT_TRUE(pool->HasWaiting());
    gate.arrive_and_wait();
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
  EXPECT_FALSE(pool->HasWaiting());
  EXPECT_EQ(pool->lanes(), 1);
}

TEST(LanePoolTest, AJobThatRunsAgainGoesBehindTheOthers) {
  PoolUnderTest pool(1);
  std::vector<char> order;
  std::latch queued(2);
  int runs = 0;
  FunctionJob again([&] {
    if (runs == 0) queued.arrive_and_wait();
    order.push_back('a');
    return ++runs < 3 ? Outcome::kAgain : Outcome::kDone;
  });
  {
    Jobs jobs;
    ASSERT_TRUE(pool->Push(again));
    jobs.Push(pool, [&] { order.push_back('b'); });
    jobs.Push(pool, [&] { order.push_back('c'); });
    queued.arrive_and_wait();
    again.AwaitReleased();
  }
  EXPECT_EQ(std::string(order.begin(), order.end()), "abcaa");
}

TEST(LanePoolTest, AJobMayBePushedAgainWhileItRuns) {
  PoolUnderTest pool(2);
  // Each run has a reference of its own, so the last one says when all are over.
  std::promise<void> over;
  class SelfPusher final : public CustomJob {
   public:
    SelfPusher(PoolUnderTest& pool_in, std::promise<void>& over_in)
        : pool_(pool_in), over_(over_in) {}
    Outcome Run() noexcept override {
      EXPECT_EQ(inside_.fetch_add(1), 0) << "it overlaps itself";
      if (++runs_ < 1000) {
        ++references_;
        EXPECT_TRUE(pool_->Push(*this));
      }
      inside_.fetch_sub(1);
      return Outcome::kDone;
    }
    void Release() noexcept override {
      if (--references_ == 0) over_.set_value();
    }
    std::string_view thread_name() const noexcept override { return "self"; }
    int runs() const { return runs_; }

   private:
    PoolUnderTest& pool_;
    std::promise<void>& over_;
    std::atomic<int> inside_{0};
    std::atomic<int> references_{1};
    int runs_ = 0;
  };
  SelfPusher self(pool, over);
  ASSERT_TRUE(pool->Push(self));
  over.get_future().wait();
  EXPECT_EQ(self.runs(), 1000);
}

TEST(LanePoolTest, AWithdrawnJobIsOutOfTheQueueForGood) {
  PoolUnderTest pool(1);
  std::binary_semaphore inside(0);
  std::latch gate(2);
  bool ran = false;
  FunctionJob withdrawn([&ran] {
    ran = true;
    return Outcome::kDone;
  });
  {
    Jobs jobs;
    jobs.Push(pool, [&] {
      inside.release();
      gate.arrive_and_wait();
    });
    inside.acquire();
    ASSERT_TRUE(pool->Push(withdrawn));
    EXPECT_TRUE(pool->Withdraw(withdrawn));
    EXPECT_FALSE(pool->Withdraw(withdrawn));
    EXPECT_FALSE(pool->Push(withdrawn));
    EXPECT_FALSE(pool->HasWaiting());
    gate.arrive_and_wait();
  }
  EXPECT_FALSE(ran);
}

TEST(LanePoolTest, AJobThatIsWithdrawnWhileItRunsIsNotQueuedButRunsAgainAtOnce) {
  PoolUnderTest pool(1);
  std::latch inside(2), withdrawn(2);
  std::vector<char> order;
  int runs = 0;
  FunctionJob job([&] {
    order.push_back('w');
    if (++runs > 1) return Outcome::kDone;
    inside.arrive_and_wait();
    withdrawn.arrive_and_wait();
    return Outcome::kAgain;
  });
  {
    Jobs jobs;
    ASSERT_TRUE(pool->Push(job));
    inside.arrive_and_wait();
    jobs.Push(pool, [&] { order.push_back('x'); });
    EXPECT_FALSE(pool->Withdraw(job));
    withdrawn.arrive_and_wait();
    job.AwaitReleased();
  }
  EXPECT_EQ(std::string(order.begin(), order.end()), "wwx");
}

TEST(LanePoolTest, AnAbandonedJobIsReplacedAndItsLaneGoesWhenItReturns) {
  PoolUnderTest pool(1);
  std::latch stuck_inside(2), release(2);
  FunctionJob stuck([&] {
    stuck_inside.arrive_and_wait();
    release.arrive_and_wait();
    return Outcome::kDone;
  });
  ASSERT_TRUE(pool->Push(stuck));
  stuck_inside.arrive_and_wait();
  {
    std::latch other_ran(2);
    Jobs jobs;
    jobs.Push(pool, [&] { other_ran.arrive_and_wait(); });
    EXPECT_TRUE(pool->Abandon(stuck));
    EXPECT_TRUE(pool->Abandon(stuck)) << "a second time changes nothing";
    other_ran.arrive_and_wait();
  }
  EXPECT_EQ(pool->lanes(), 2);
  release.arrive_and_wait();
  stuck.AwaitReleased();
  while (pool->lanes() > 1) std::this_thread::yield();
}

// The abandoned ones return, and those that have replaced them are through, all at once.
TEST(LanePoolTest, OfLanesThatFindThatTheyAreTooManyAsManyAsTheLimitStay) {
  constexpr int kLimit = 16;
  PoolUnderTest pool(kLimit);
  for (int round = 0; round < 40; ++round) {
    std::latch stuck_inside(kLimit + 1), all_inside(2 * kLimit);
    {
      Jobs jobs;
      std::vector<FunctionJob*> stuck_ones;
      for (int i = 0; i < kLimit; ++i) {
        FunctionJob& stuck = jobs.Make([&] {
          stuck_inside.count_down();
          all_inside.arrive_and_wait();
        });
        pool->Push(stuck);
        stuck_ones.push_back(&stuck);
      }
      stuck_inside.arrive_and_wait();
      for (FunctionJob* stuck : stuck_ones) EXPECT_TRUE(pool->Abandon(*stuck));
      for (int i = 0; i < kLimit; ++i) jobs.Push(pool, [&] { all_inside.arrive_and_wait(); });
    }
    while (pool->lanes() > kLimit) std::this_thread::yield();
    EXPECT_EQ(pool->lanes(), kLimit);
  }
}

TEST(LanePoolTest, AsManyAsTheLimitAreReplacedAndTheNextOneWhenOneReturns) {
  PoolUnderTest pool(1);
  std::binary_semaphore one_inside(0), other_inside(0), third_ran(0);
  std::latch release_one(2), release_other(2);
  Jobs jobs;
  const auto stuck = [](std::binary_semaphore& inside, std::latch& release) {
    return [&] {
      inside.release();
      release.arrive_and_wait();
    };
  };
  FunctionJob& one = jobs.Make(stuck(one_inside, release_one));
  FunctionJob& other = jobs.Make(stuck(other_inside, release_other));
  pool->Push(one);
  one_inside.acquire();
  EXPECT_TRUE(pool->Abandon(one));
  pool->Push(other);
  other_inside.acquire();
  EXPECT_FALSE(pool->Abandon(other));
  jobs.Push(pool, [&] { third_ran.release(); });
  EXPECT_TRUE(pool->HasWaiting());
  release_one.arrive_and_wait();
  third_ran.acquire();
  release_other.arrive_and_wait();
}

TEST(LanePoolTest, ClosingDrainsTheQueueAndWaitsForNoRunningJob) {
  std::binary_semaphore inside(0);
  std::latch release(2);
  std::atomic<bool> last_ran{false};
  Jobs jobs;
  {
    PoolUnderTest pool(1);
    jobs.Push(pool, [&] {
      inside.release();
      release.arrive_and_wait();
    });
    inside.acquire();
    jobs.Push(pool, [&] { last_ran = true; });
  }
  EXPECT_FALSE(last_ran);
  release.arrive_and_wait();
}

TEST(LanePoolTest, EightNewLanesStartBesideALoopingHost) {
  const test::BusyHost host;
  for (int round = 0; round < 5; ++round) {
    std::latch all_inside(8);
    PoolUnderTest pool(8);
    Jobs jobs;
    Meet(pool, jobs, 8, all_inside);
  }
}

TEST(LanePoolTest, IdleLanesAreNotLostToAHostThatFillsItsArena) {
  constexpr int kLanes = 6;
  PoolUnderTest pool(kLanes);
  {
    std::latch all_inside(kLanes);
    Jobs jobs;
    Meet(pool, jobs, kLanes, all_inside);
  }
  const test::BlockedHost host(64);
  {
    std::latch all_inside(kLanes);
    Jobs jobs;
    Meet(pool, jobs, kLanes, all_inside);
  }
}

TEST(LanePoolTest, ParallelWorkOfAWorkerInItsOwnArenaDoesNotDeadlock) {
  PoolUnderTest pool(2);
  Jobs jobs;
  for (int job = 0; job < 4; ++job) {
    jobs.Push(pool, [] { EXPECT_EQ(test::ParallelSum(1000), 499'500); });
  }
}

// A host that allows less than the lanes need makes jobs wait, and they run when it goes.
TEST(LanePoolTest, AForeignControlMakesJobsWaitAndTheyRunWhenItGoes) {
  constexpr int kLanes = 8;
  std::atomic<int> inside{0};
  std::latch all_inside(kLanes);
  PoolUnderTest pool(kLanes);
  Jobs jobs;
  {
    const test::HostControl control(3);
    for (int i = 0; i < kLanes; ++i) {
      jobs.Push(pool, [&] {
        ++inside;
        all_inside.arrive_and_wait();
      });
    }
    while (inside == 0) std::this_thread::yield();
  }
  all_inside.wait();
}

}  // namespace
}  // namespace foxtive::internal
