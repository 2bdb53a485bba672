// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Job: a piece of user code for an Executor. It lives inside of what it works for, so that pushing
// allocates nothing.
//
//   Job ◀── RecordJob<kAttempt>, RecordJob<kService>   two in each record (record_job.h)
//       ◀── CustomJob                                  all others
//
// There may be millions of records, so a job says by one byte what it is, and only CustomJob has a
// pointer to a table of functions.

#ifndef FOXTIVE_LIB_SHELL_JOB_H_
#define FOXTIVE_LIB_SHELL_JOB_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace foxtive::internal {

enum class JobKind : uint8_t { kAttempt, kService, kCustom };

class Job {
 public:
  enum class Outcome : uint8_t {
    kDone,   // it may be pushed again, already before it returns
    kAgain,  // as if it had been pushed at this moment
  };

  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // On a lane.
  Outcome Run() noexcept;

  // Gives back the reference that `Push` was handed. Called on a lane when the executor has let go
  // of the job.
  void Release() noexcept;

  // What the thread is called meanwhile.
  std::string_view thread_name() const noexcept;

  // Since when it has been waiting for a lane, on the clock of whoever pushed it. Asked under the
  // mutex of the executor, so it takes none. kNotWaiting: it is about to be withdrawn, or is none
  // that is asked.
  static constexpr int64_t kNotWaiting = INT64_MAX;
  int64_t queued_at_nanos() const noexcept;

  // Which time it is that it runs. REQUIRES: asked by `Run`.
  uint32_t run_number() const { return run_number_; }

 protected:
  explicit Job(JobKind kind) : kind_(kind) {}
  ~Job() = default;

 private:
  friend class JobQueue;
  friend class LanePool;
  enum class Place : uint8_t {
    kNowhere,
    kQueue,
    kLane,
    kAbandonedLane,  // one that nobody waits for
  };

  bool on_lane() const { return place_ == Place::kLane || place_ == Place::kAbandonedLane; }

  // All but `kind_` guarded by the mutex of the executor.
  Job* previous_ = nullptr;
  Job* next_ = nullptr;
  const JobKind kind_;
  Place place_ = Place::kNowhere;
  bool pushed_on_lane_ = false;  // pushed while a lane still had it
  bool withdrawn_ = false;
  uint32_t run_number_ = 0;  // also read by the lane that runs it
};

class CustomJob : public Job {
 public:
  virtual Outcome Run() noexcept = 0;
  virtual void Release() noexcept = 0;
  virtual std::string_view thread_name() const noexcept = 0;

 protected:
  CustomJob() : Job(JobKind::kCustom) {}
  virtual ~CustomJob() = default;
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

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_JOB_H_
