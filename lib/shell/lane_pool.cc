// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/lane_pool.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "lib/shell/lane.h"

namespace foxtive::internal {

LanePool::LanePool(std::shared_ptr<System> system, int max_lanes, std::string thread_name,
                   std::function<void()> nudge, std::function<void(const std::string&)> report)
    : system_(std::move(system)),
      real_clock_(system_->real_clock()),
      max_lanes_(max_lanes),
      thread_name_(std::move(thread_name)),
      nudge_(std::move(nudge)),
      report_(std::move(report)) {}

// --- Jobs.

bool LanePool::Push(Job& job) {
  Wake wake;
  {
    MutexLock lock(mutex_);
    if (job.withdrawn_ || job.place_ == Job::Place::kQueue || job.pushed_on_lane_) return false;
    if (job.on_lane()) {
      job.pushed_on_lane_ = true;  // the lane queues it when it lets go
      return true;
    }
    queue_.Push(job);
    wake = WakeOrCreateLocked();
  }
  CarryOut(wake);
  return true;
}

bool LanePool::Withdraw(Job& job) {
  MutexLock lock(mutex_);
  job.withdrawn_ = true;
  if (job.place_ != Job::Place::kQueue) return false;
  queue_.Remove(job);
  waiting_.store(!queue_.empty(), std::memory_order_relaxed);
  return true;
}

bool LanePool::Abandon(Job& job) {
  bool replaced;
  Wake wake;
  {
    MutexLock lock(mutex_);
    replaced = AbandonLocked(job, wake);
  }
  CarryOut(wake);
  return replaced;
}

bool LanePool::AbandonRun(Job& job, uint32_t run_number) {
  bool replaced;
  Wake wake;
  {
    MutexLock lock(mutex_);
    if (job.run_number_ != run_number) return true;
    replaced = AbandonLocked(job, wake);
  }
  CarryOut(wake);
  return replaced;
}

bool LanePool::AbandonLocked(Job& job, Wake& wake) {
  if (job.place_ != Job::Place::kLane) return true;
  job.place_ = Job::Place::kAbandonedLane;
  const bool replaced = ++abandoned_ <= max_lanes_;
  wake = WakeOrCreateLocked();
  return replaced;
}

// Takes a finished job back, if any, and gives out the next one. Null: the lane rests, or retires.
Job* LanePool::Exchange(Lane& lane, Job* finished, Job::Outcome outcome) {
  if (finished != nullptr && outcome == Job::Outcome::kDone) {
    LetGo(*finished);
    // The last reference may run destructors of the user's. The lane counts as busy meanwhile, and
    // no job waits behind them.
    finished->Release();
  }
  Job* next = nullptr;
  Wake wake;
  bool arrives;
  {
    MutexLock lock(mutex_);
    arrives = !std::exchange(lane.arrived_, true);
    if (arrives) ArriveLocked();
    if (finished != nullptr) --busy_;
    if (std::exchange(lane.woken_, false)) --wakes_;
    const bool again = finished != nullptr && outcome == Job::Outcome::kAgain;
    next = again && !QueueAgainLocked(*finished) ? finished : NextLocked(lane);
    if (next != nullptr) BeginLocked(*next);
    wake = WakeOrCreateLocked();
    ReleaseCloserLocked();
  }
  if (arrives) arrivals_.WakeAll(mutex_, real_clock_);
  CarryOut(wake);
  return next;
}

// A push while it ran has brought a reference of its own: so what this lane releases is not the
// last one, no user code runs, and the lane is back for what is queued in a moment.
void LanePool::LetGo(Job& finished) {
  MutexLock lock(mutex_);
  TakeBackLocked(finished);
  if (!std::exchange(finished.pushed_on_lane_, false)) return;
  queue_.Push(finished);
  waiting_.store(true, std::memory_order_relaxed);
}

void LanePool::TakeBackLocked(Job& finished) {
  const Job::Place place = std::exchange(finished.place_, Job::Place::kNowhere);
  if (place == Job::Place::kAbandonedLane) --abandoned_;
}

// False: it was withdrawn meanwhile, so it must not wait for a lane, and has this one.
bool LanePool::QueueAgainLocked(Job& finished) {
  TakeBackLocked(finished);
  if (finished.withdrawn_) return false;
  queue_.Push(finished);
  return true;
}

Job* LanePool::NextLocked(Lane& lane) {
  const bool too_many = CountedLocked() > max_lanes_;
  Job* const job = too_many && !closing_ ? nullptr : queue_.Pop();
  if (job != nullptr) return job;
  if (too_many || closing_ || lane.retire_) {
    lane.retires_ = true;
    ++leaving_;
    return nullptr;
  }
  lane.resting_since_ = real_clock_.NowNanos();
  resting_.push_back(lane.shared_from_this());
  return nullptr;
}

void LanePool::BeginLocked(Job& job) {
  job.place_ = Job::Place::kLane;
  ++job.run_number_;
  ++busy_;
}

bool LanePool::WantsLaneLocked() const {
  const size_t spoken_for = static_cast<size_t>(ComingLocked()) + static_cast<size_t>(wakes_);
  return resting_.empty() && !closing_ && CountedLocked() + ComingLocked() < max_lanes_ &&
         queue_.size() > spoken_for;
}

LanePool::Wake LanePool::WakeOrCreateLocked() {
  waiting_.store(!queue_.empty(), std::memory_order_relaxed);
  Wake wake;
  if (queue_.empty()) return wake;
  if (wakes_ == 0 && !resting_.empty()) {
    wake.lane = std::move(resting_.back());
    resting_.pop_back();
    wake.lane->woken_ = true;
    ++wakes_;
  }
  const bool unwatched = resting_.empty() && ComingLocked() > 0 && !watched_;
  if (WantsLaneLocked() || unwatched) wake.nudge = !std::exchange(lane_asked_for_, true);
  // One that is on its way to a job makes no crowd.
  const bool all_held = resting_.empty() && CountedLocked() >= max_lanes_ &&
                        queue_.size() > static_cast<size_t>(wakes_);
  if (queue_watched_ && !crowded_ && all_held) {
    crowded_ = true;
    wake.nudge = true;
  }
  return wake;
}

void LanePool::CarryOut(const Wake& wake) {
  if (wake.lane != nullptr) real_clock_.Unpark(wake.lane->parker_);
  if (wake.nudge) nudge_();
}

void LanePool::WatchQueue() {
  MutexLock lock(mutex_);
  queue_watched_ = true;
}

LanePool::Waiting LanePool::LookAtQueue(bool forget) {
  MutexLock lock(mutex_);
  const int64_t first_queued_at = queue_.first_queued_at();
  if (first_queued_at != Job::kNotWaiting) {
    return {.jobs = queue_.size(), .first_queued_at = first_queued_at};
  }
  if (forget) crowded_ = false;
  return {};
}

// --- Lanes come and go.

// With its first pull, so that between the two nobody misses it and asks for another one.
void LanePool::ArriveLocked() {
  --starting_;
  written_off_ = std::min(written_off_, starting_);
  ++live_;
  arrived_ = true;
  progress_at_ = std::max(progress_at_, real_clock_.NowNanos());
  lane_asked_for_ = false;  // if others are held back it is time to look again
}

void LanePool::Leave() {
  MutexLock lock(mutex_);
  --live_;
  --leaving_;
  ReleaseCloserLocked();
}

// Unparks under the lock, because the parker is on the stack of whoever waits in Close.
void LanePool::ReleaseCloserLocked() {
  if (closer_ != nullptr && live_ == busy_) real_clock_.Unpark(*std::exchange(closer_, nullptr));
}

void LanePool::Close(bool wait) {
  std::vector<std::shared_ptr<Lane>> resting;
  Clock::Parker parker;
  {
    MutexLock lock(mutex_);
    closing_ = true;
    resting.swap(resting_);
    if (wait && live_ != busy_) closer_ = &parker;
    wait = closer_ == &parker;
  }
  for (const std::shared_ptr<Lane>& lane : resting) real_clock_.Unpark(lane->parker_);
  if (!wait) return;
  while (true) {
    real_clock_.Park(parker, Clock::kNever);
    MutexLock lock(mutex_);
    if (closer_ == nullptr) return;
  }
}

int LanePool::lanes() const {
  MutexLock lock(mutex_);
  return live_;
}

int LanePool::resting() const {
  MutexLock lock(mutex_);
  return static_cast<int>(resting_.size());
}

}  // namespace foxtive::internal
