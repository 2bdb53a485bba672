// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The seam between supervision and threads: a Job is a piece of user code, an Executor runs jobs in
// the order in which they were pushed, as many at once as it may. LanePool is the one that has
// threads; a simulator puts its own behind this.

#ifndef FOXTIVE_LIB_SHELL_EXECUTOR_H_
#define FOXTIVE_LIB_SHELL_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace foxtive::internal {

// Lives inside of what it works for, so that pushing allocates nothing.
class Job {
 public:
  enum class Outcome : uint8_t {
    kDone,   // it may be pushed again, already before it returns
    kAgain,  // as if it had been pushed at this moment
  };

  // On a lane.
  virtual Outcome Run() noexcept = 0;

  // Gives back the reference that `Push` was handed. Called on a lane when the executor has let go
  // of the job.
  virtual void Release() noexcept = 0;

  // What the thread is called meanwhile.
  virtual std::string_view thread_name() const noexcept = 0;

  // Since when it has been waiting for a lane, on the clock of whoever pushed it. Asked under the
  // mutex of the executor, so it takes none. kNotWaiting: it is about to
  // be withdrawn, or is none that is asked.
  static constexpr int64_t kNotWaiting = INT64_MAX;
  virtual int64_t queued_at_nanos() const noexcept { return kNotWaiting; }

  // Which time it is that it runs. REQUIRES: asked by `Run`.
  uint32_t run_number() const { return run_number_; }

 protected:
  virtual ~Job() = default;

 private:
  friend class JobQueue;
  friend class LanePool;
  enum class Place : uint8_t { kNowhere, kQueue, kLane };

  // All guarded by the mutex of the executor.
  Job* previous_ = nullptr;
  Job* next_ = nullptr;
  Place place_ = Place::kNowhere;
  bool pushed_on_lane_ = false;  // pushed while a lane still had it
  bool withdrawn_ = false;
  bool abandoned_ = false;
  uint32_t run_number_ = 0;  // also read by the lane that runs it
};

// First in, first out; the links are in the jobs.
class JobQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }

  // Of the first one that waits.
  int64_t first_queued_at() const {
    int64_t nanos = Job::kNotWaiting;
    for (const Job* job = first_; job != nullptr && nanos == Job::kNotWaiting; job = job->next_) {
      nanos = job->queued_at_nanos();
    }
    return nanos;
  }

  void Push(Job& job) {
    job.place_ = Job::Place::kQueue;
    job.previous_ = last_;
    job.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &job;
    last_ = &job;
    ++size_;
  }

  // Null if it is empty.
  Job* Pop() {
    Job* const job = first_;
    if (job != nullptr) Remove(*job);
    return job;
  }

  // REQUIRES: `job` is in this queue.
  void Remove(Job& job) {
    (job.previous_ != nullptr ? job.previous_->next_ : first_) = job.next_;
    (job.next_ != nullptr ? job.next_->previous_ : last_) = job.previous_;
    job.place_ = Job::Place::kNowhere;
    --size_;
  }

 private:
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  size_t size_ = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;

  // For the monitor: makes sure that there is a thread. False: none can be had.
  virtual bool Start() = 0;

  // For the monitor, after `Start`: where threads are limited, waits until the first one is there,
  // or no longer than the deadline, in real time.
  virtual void AwaitFirst(int64_t real_deadline_nanos) = 0;

  // Runs `job` when there is room. Takes over a reference to it. False: it waits already, and will
  // run after this call, or it has been withdrawn before; the reference stays with the caller.
  // Never blocks, never fails. From any thread.
  virtual bool Push(Job& job) = 0;

  // True: `job` was waiting and is out of the queue; its reference is the caller's now. False: it
  // is running, or was not here; from now on it is never queued. From any thread.
  virtual bool Withdraw(Job& job) = 0;

  // Nobody waits any more for `job`: if it is running, its lane does not count against the limit
  // until it returns. False: as many as the limit are replaced in this way already, so it counts
  // until one of them returns. From any thread.
  virtual bool Abandon(Job& job) = 0;

  // The same, if it is still the run of that number; else nothing, and true.
  virtual bool AbandonRun(Job& job, uint32_t run_number) = 0;

  // For the monitor: from now on it is nudged when jobs wait because all lanes are held. Once: then
  // `is_crowded` is true until a LookAtQueue that finds nobody, and is allowed to `forget`.
  virtual void WatchQueue() = 0;
  virtual bool is_crowded() const = 0;
  struct Waiting {
    size_t jobs = 0;
    int64_t first_queued_at = Job::kNotWaiting;
  };
  virtual Waiting LookAtQueue(bool forget) = 0;

  // A hint for a job that asks itself whether it may go on: whether others wait. From any thread.
  virtual bool HasWaiting() const = 0;

  // For the monitor: sees to threads, and says when it wants to be called next without being asked,
  // in real time; Clock::kNever if it has no such wish.
  virtual int64_t Tend(int64_t real_now_nanos) = 0;

  // No job is pushed any more by anybody but running jobs; what is queued is still run if a lane is
  // there or comes back. `wait`: until all lanes that run nothing have left.
  virtual void Close(bool wait) = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_EXECUTOR_H_
