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
#include "lib/shell/exit_gate.h"
#include "lib/shell/lane.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/system.h"

namespace foxtive::internal {

bool LanePool::Start() { return LaunchOne(real_clock_.NowNanos()); }

void LanePool::AwaitFirst(int64_t real_deadline_nanos) {
  if (!system_->Look().limited()) return;
  MutexLock lock(mutex_);
  arrivals_.Await(mutex_, real_clock_, real_deadline_nanos, [this] {
    mutex_.AssertHeld();
    return live_ > 0;
  });
}

int64_t LanePool::Tend(int64_t now) {
  // In this order: who pushes between the first two finds `lane_asked_for_` false.
  return std::min({TendWaiting(now), TendLate(now), TendResting(now)});
}

// Launches lanes while they are wanted.
int64_t LanePool::TendWaiting(int64_t now) {
  while (true) {
    {
      MutexLock lock(mutex_);
      const bool wanted = WantsLaneLocked();
      lane_asked_for_ = wanted && now < retry_at_;
      if (!wanted) return Clock::kNever;
    }
    if (now < retry_at_) return retry_at_;
    if (HoldBack()) return now + kRetryAfterNanos;
    if (LaunchOne(now)) {
      no_thread_.End();
    } else {
      retry_at_ = now + kRetryAfterNanos;
      ReportNoThread(now);
    }
  }
}

// Whether a lane waits for its thread already, and the limit lets none through. The next one is
// launched when that one has arrived.
bool LanePool::HoldBack() {
  {
    MutexLock lock(mutex_);
    if (ComingLocked() == 0) return false;
  }
  if (!system_->Look().limited()) return false;
  MutexLock lock(mutex_);
  if (ComingLocked() == 0) return false;
  lane_asked_for_ = true;
  return true;
}

bool LanePool::LaunchOne(int64_t now) {
  std::shared_ptr<Lane> lane;
  try {
    lane = std::make_shared<Lane>(shared_from_this());
    MutexLock lock(mutex_);
    resting_.reserve(static_cast<size_t>(live_ + starting_) + 1);
    ++starting_;
    progress_at_ = now;
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (system_->Launch(std::move(lane)).launched) return true;
  MutexLock lock(mutex_);
  --starting_;
  written_off_ = std::min(written_off_, starting_);  // the one that counted as it may have arrived
  return false;
}

// A lane that has not started although jobs wait: a foreign limit, or a worker that went elsewhere.
int64_t LanePool::TendLate(int64_t now) {
  int64_t due;
  {
    MutexLock lock(mutex_);
    watched_ = ComingLocked() > 0 && !queue_.empty();
    if (std::exchange(arrived_, false) || ComingLocked() == 0) {
      limited_.End();
      late_.End();
      late_after_ = kLateAfterNanos;
      look_at_ = INT64_MIN;
      raises_ = 0;
    }
    if (!watched_) return Clock::kNever;
    due = std::max(progress_at_ + late_after_, look_at_);
  }
  if (now < due) return due;
  const LaunchReport look = system_->Look();
  if (!look.limited()) {
    limited_.End();
    return HelpLate(now, look.workers_lost);
  }
  Report(limited_, now, [&look] {
    return absl::StrCat("oneTBB allows a parallelism of ", look.parallelism_found, ", ",
                        look.parallelism_wanted,
                        " is wanted: raise or remove the tbb::global_control of this process, or "
                        "create a Supervisor before anything else uses oneTBB");
  });
  return look_at_ = now + kRetryAfterNanos;
}

int64_t LanePool::HelpLate(int64_t now, bool workers_lost) {
  if (late_after_ > kRetryAfterNanos) {
    Report(late_, now, [] {
      return std::string(
          "oneTBB has not started a thread that it may start: is a tbb::task_arena of high "
          "priority full of tasks that block?");
    });
  }
  late_after_ = std::min(2 * late_after_, 2 * kRetryAfterNanos);
  look_at_ = now + std::min(late_after_, kRetryAfterNanos);
  if (raises_ < kMaxRaises) {
    if (!system_->RaiseByOne()) {
      ReportNoThread(now);
      return look_at_;
    }
    ++raises_;
  }
  if ((workers_lost || raises_ > kRaisesBeforeWriteOff) && WriteOffOne()) {
    return std::min(look_at_, TendWaiting(now));
  }
  return look_at_;
}

bool LanePool::WriteOffOne() {
  MutexLock lock(mutex_);
  if (ComingLocked() == 0 || written_off_ >= kMaxWrittenOff) return false;
  ++written_off_;
  return true;
}

// Retires the lane that has rested longest, one at a time. Nobody wakes the monitor when a lane
// goes to rest: while there are too many it looks every kRetireAfter, so that none rests for longer
// unseen.
int64_t LanePool::TendResting(int64_t now) {
  std::shared_ptr<Lane> retiring;
  int64_t due;
  {
    MutexLock lock(mutex_);
    if (live_ + starting_ <= kKeptLanes) return Clock::kNever;
    due = (resting_.empty() ? now : resting_.front()->resting_since_) + kRetireAfterNanos;
    if (now < due) return due;
    retiring = std::move(resting_.front());
    resting_.erase(resting_.begin());
    retiring->retire_ = true;
    due = now + kRetryAfterNanos;
  }
  real_clock_.Unpark(retiring->parker_);
  return due;
}

void LanePool::ReportNoThread(int64_t now) {
  int lanes;
  int wanted;
  {
    MutexLock lock(mutex_);
    lanes = live_;
    const size_t short_of = std::min(queue_.size(), static_cast<size_t>(max_lanes_));
    wanted = std::min(live_ + static_cast<int>(short_of), max_lanes_);
  }
  Report(no_thread_, now, [&] {
    return absl::StrCat("no thread could be created, there are ", lanes, " of ", wanted,
                        " that are wanted: raise the limit of threads (ulimit -u, the cgroup's "
                        "pids.max) or of memory, or run fewer tasks at once");
  });
}

// What is short may be memory, for the text neither.
void LanePool::Report(Episode& episode, int64_t now, absl::FunctionRef<std::string()> cause) {
  if (!episode.Begins(now) || IsExiting()) return;
  try {
    report_(cause());
  } catch (const std::bad_alloc&) {
    episode.End();
  }
}

bool LanePool::Episode::Begins(int64_t now) {
  const int64_t former = std::exchange(last_seen_at, now);
  return former == INT64_MIN || now - former >= kEpisodeEndsAfterNanos;
}

}  // namespace foxtive::internal
