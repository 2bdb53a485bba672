// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the monitor does for a LanePool: lanes are launched, helped when they start late, and
// retired.

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/shell/capacity_registry.h"
#include "lib/shell/lane.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/real_time.h"

namespace foxtive::internal {

bool LanePool::Start() { return LaunchOne(); }

int64_t LanePool::Tend(int64_t now) {
  return std::min({TendWaiting(now), TendLate(now), TendResting(now)});
}

// Launches lanes while they are wanted.
int64_t LanePool::TendWaiting(int64_t now) {
  while (true) {
    {
      MutexLock lock(mutex_);
      lane_asked_for_ = false;
      if (!WantsLaneLocked()) return Clock::kNever;
    }
    if (now < retry_at_) return retry_at_;
    if (LaunchOne()) {
      no_thread_reported_ = false;
    } else {
      retry_at_ = now + kRetryAfterNanos;
      ReportOnce(no_thread_reported_, [] {
        return std::string(
            "no thread could be created: raise the limit of threads (ulimit -u, the "
            "cgroup's pids.max) or of memory, or run fewer tasks at once");
      });
    }
  }
}

bool LanePool::LaunchOne() {
  std::shared_ptr<Lane> lane;
  try {
    lane = std::make_shared<Lane>(shared_from_this());
    MutexLock lock(mutex_);
    resting_.reserve(static_cast<size_t>(live_ + starting_) + 1);
    ++starting_;
    progress_at_ = RealClock().NowNanos();
  } catch (const std::bad_alloc&) {
    return false;
  }
  const LaunchReport report = CapacityRegistry::Get().Launch(lane);
  return Launched(*lane, report.launched);
}

bool LanePool::Launched(Lane& lane, bool launched) {
  MutexLock lock(mutex_);
  if (launched || lane.state_ == Lane::State::kLive) return true;
  lane.state_ = Lane::State::kCancelled;
  --starting_;
  return false;
}

// A lane that has not started: a foreign limit, or a worker that went elsewhere.
int64_t LanePool::TendLate(int64_t now) {
  int64_t due;
  {
    MutexLock lock(mutex_);
    if (starting_ == 0) {
      late_after_ = kLateAfterNanos;
      raises_ = 0;
      limit_reported_ = false;
      return Clock::kNever;
    }
    due = progress_at_ + late_after_;
  }
  if (now < due) return due;
  const LaunchReport look = CapacityRegistry::Get().Look();
  if (look.limited()) {
    ReportOnce(limit_reported_, [&look] {
      return absl::StrCat("oneTBB allows a parallelism of ", look.parallelism_found, ", ",
                          look.parallelism_wanted,
                          " is wanted: raise or remove the tbb::global_control of this process, or "
                          "create a Supervisor before anything else uses oneTBB");
    });
    return now + kRetryAfterNanos;
  }
  if (raises_ >= kMaxRaises) return now + kRetryAfterNanos;
  ++raises_;
  late_after_ *= 2;
  CapacityRegistry::Get().RaiseByOne();
  return now + late_after_;
}

// Retires the lane that has rested longest, one at a time.
int64_t LanePool::TendResting(int64_t now) {
  std::shared_ptr<Lane> retiring;
  int64_t due = Clock::kNever;
  {
    MutexLock lock(mutex_);
    if (resting_.empty() || live_ <= kKeptLanes) return due;
    due = resting_.front()->resting_since_ + kRetireAfterNanos;
    if (now < due) return due;
    retiring = std::move(resting_.front());
    resting_.erase(resting_.begin());
    retiring->retire_ = true;
    due = now + kRetryAfterNanos;
  }
  RealClock().Unpark(retiring->parker_);
  return due;
}

// Once for each time that jobs come to wait for threads.
// The cause may be that there is no memory, for its text neither.
void LanePool::ReportOnce(bool& reported, absl::FunctionRef<std::string()> cause) {
  if (std::exchange(reported, true)) return;
  try {
    report_(cause());
  } catch (const std::bad_alloc&) {
    reported = false;
  }
}

}  // namespace foxtive::internal
