// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/lane_pool.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/shell/capacity_registry.h"
#include "lib/shell/lane_thread.h"
#include "lib/shell/real_time.h"

namespace foxtive::internal {

// The loop of one lane. `state_`, `woken_`, `retire_` and `resting_since_` are guarded by the mutex
// of the pool.
class LanePool::Lane final : public LaneBody, public std::enable_shared_from_this<Lane> {
 public:
  explicit Lane(std::shared_ptr<LanePool> pool) : pool_(std::move(pool)) {}

  void Run() noexcept override {
    arrived_ = pool_->Arrive(*this);
    if (!arrived_) return;
    LaneThread thread(pool_->thread_name_);
    Job* job = nullptr;
    Job::Outcome outcome = Job::Outcome::kDone;
    while (true) {
      const Job* const former = outcome == Job::Outcome::kAgain ? job : nullptr;
      job = Next(job, outcome, thread);
      if (job == nullptr) return;
      // Only one that runs again is surely the same: a new one may have the address of an old one.
      thread.Begin(job->name(), /*other_task=*/job != former);
      outcome = job->Run();
      thread.End();
    }
  }

  void Left() noexcept override {
    if (arrived_) pool_->Leave();
  }

 private:
  friend class LanePool;
  enum class State : uint8_t { kStarting, kLive, kCancelled };

  // Null: the lane retires.
  Job* Next(Job* finished, Job::Outcome outcome, LaneThread& thread) {
    while (true) {
      Job* const job = pool_->Exchange(*this, finished, outcome);
      if (job != nullptr || retires_) return job;
      finished = nullptr;
      thread.Rest();
      RealClock().Park(parker_, Clock::kNever);
    }
  }

  const std::shared_ptr<LanePool> pool_;
  Clock::Parker parker_;
  State state_ = State::kStarting;
  bool woken_ = false;
  bool retire_ = false;
  int64_t resting_since_ = 0;
  // Of the lane's thread.
  bool arrived_ = false;
  bool retires_ = false;
};

LanePool::LanePool(int max_lanes, std::string thread_name, std::function<void()> nudge,
                   std::function<void(const std::string&)> report)
    : max_lanes_(max_lanes),
      thread_name_(std::move(thread_name)),
      nudge_(std::move(nudge)),
      report_(std::move(report)) {}

// --- Jobs.

bool LanePool::Push(Job& job) {
  Wake wake;
  {
    MutexLock lock(mutex_);
    if (job.withdrawn_) return false;
    if (job.place_ == Job::Place::kLane) {
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
  Wake wake;
  {
    MutexLock lock(mutex_);
    if (job.place_ != Job::Place::kLane || job.abandoned_) return true;
    if (abandoned_ >= max_lanes_) return false;
    job.abandoned_ = true;
    ++abandoned_;
    wake = WakeOrCreateLocked();
  }
  CarryOut(wake);
  return true;
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
  {
    MutexLock lock(mutex_);
    if (finished != nullptr) --busy_;
    if (std::exchange(lane.woken_, false)) --wakes_;
    const bool again = finished != nullptr && outcome == Job::Outcome::kAgain;
    next = again && !QueueAgainLocked(*finished) ? finished : NextLocked(lane);
    if (next != nullptr) BeginLocked(*next);
    wake = WakeOrCreateLocked();
    ReleaseCloserLocked();
  }
  CarryOut(wake);
  return next;
}

void LanePool::LetGo(Job& finished) {
  Wake wake;
  {
    MutexLock lock(mutex_);
    TakeBackLocked(finished);
    // A push while it ran has brought a reference of its own.
    if (!std::exchange(finished.pushed_on_lane_, false)) return;
    queue_.Push(finished);
    wake = WakeOrCreateLocked();
  }
  CarryOut(wake);
}

void LanePool::TakeBackLocked(Job& finished) {
  finished.place_ = Job::Place::kNowhere;
  if (std::exchange(finished.abandoned_, false)) --abandoned_;
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
    return nullptr;
  }
  lane.resting_since_ = RealClock().NowNanos();
  resting_.push_back(lane.shared_from_this());
  return nullptr;
}

void LanePool::BeginLocked(Job& job) {
  job.place_ = Job::Place::kLane;
  ++busy_;
}

bool LanePool::WantsLaneLocked() const {
  return resting_.empty() && !closing_ && CountedLocked() + starting_ < max_lanes_ &&
         queue_.size() > static_cast<size_t>(starting_ + wakes_);
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
  if (WantsLaneLocked()) wake.nudge = !std::exchange(lane_asked_for_, true);
  return wake;
}

void LanePool::CarryOut(const Wake& wake) {
  if (wake.lane != nullptr) RealClock().Unpark(wake.lane->parker_);
  if (wake.nudge) nudge_();
}

// --- Lanes come and go.

bool LanePool::Start() { return LaunchOne(); }

// On the lane. False: it comes too late, nobody counts on it any more.
bool LanePool::Arrive(Lane& lane) {
  MutexLock lock(mutex_);
  if (lane.state_ == Lane::State::kCancelled) return false;
  lane.state_ = Lane::State::kLive;
  --starting_;
  ++live_;
  progress_at_ = RealClock().NowNanos();
  return true;
}

void LanePool::Leave() {
  MutexLock lock(mutex_);
  --live_;
  ReleaseCloserLocked();
}

// Unparks under the lock, because the parker is on the stack of whoever waits in Close.
void LanePool::ReleaseCloserLocked() {
  if (closer_ != nullptr && live_ == busy_) RealClock().Unpark(*std::exchange(closer_, nullptr));
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
  for (const std::shared_ptr<Lane>& lane : resting) RealClock().Unpark(lane->parker_);
  if (!wait) return;
  while (true) {
    RealClock().Park(parker, Clock::kNever);
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

// --- For the monitor.

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
      ReportOnce(no_thread_reported_,
                 "no thread could be created: raise the limit of threads (ulimit -u, the cgroup's "
                 "pids.max) or of memory, or run fewer tasks at once");
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
    ReportOnce(limit_reported_,
               absl::StrCat("oneTBB allows a parallelism of ", look.parallelism_found, ", ",
                            look.parallelism_wanted,
                            " is wanted: raise or remove the tbb::global_control of this process, "
                            "or create a Supervisor before anything else uses oneTBB"));
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
void LanePool::ReportOnce(bool& reported, const std::string& cause) {
  if (!std::exchange(reported, true)) report_(cause);
}

}  // namespace foxtive::internal
