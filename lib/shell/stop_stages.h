// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StopStages: which tasks are asked to stop before which others, by their `stop_order`. And
// StageParts: how long each stage may take.
//
//   Begin ─▶ current: the lowest stop_order that an unfinished task has ─ Next ─▶ the one above it
//
// From Begin on no task is added, so stages only go. The current one stays current when it is over,
// and the last one for good. Tasks that are met before it is their turn are put aside, in `later`.
//
// Thread safety: guarded by the mutex of the TaskTable; HasReached any thread. Only Reserve
// allocates.

#ifndef FOXTIVE_LIB_SHELL_STOP_STAGES_H_
#define FOXTIVE_LIB_SHELL_STOP_STAGES_H_

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <map>

#include "foxtive/clock.h"
#include "lib/shell/task_list.h"

namespace foxtive::internal {

class StopStages {
 public:
  // Before Added, for each `stop_order`. May throw std::bad_alloc; the others don't.
  void Reserve(int stop_order);
  void Added(int stop_order) { ++Of(stop_order).unfinished; }
  // One that was added has a result. True: so the current stage is over, and another one follows.
  bool Ended(int stop_order);

  // No later one of these does anything.
  void Begin();
  bool HasReached(int stop_order) const { return stop_order <= current_.load(); }
  // REQUIRES, of all that follow: it has begun.
  struct Stage {
    int stop_order;
    size_t following;  // stages with unfinished tasks
  };
  Stage current() const { return {static_cast<int>(current_.load()), following_}; }
  size_t unfinished(int stop_order) const;
  bool current_is_over() const { return unfinished(current().stop_order) == 0; }
  // False: there is none.
  bool Next();

  // REQUIRES: one of its tasks is unfinished.
  TaskList& later(int stop_order) { return Of(stop_order).later; }
  // Of those that were put aside one whose turn it is by now. Stages may have been left before all
  // of theirs were asked, so it need not be of the current one.
  TaskRecord* FirstDue();
  template <typename Do>
  void ForEachPutAside(Do do_with) const {
    for (const auto& [stop_order, tasks] : tasks_) do_with(tasks.later);
  }

 private:
  static constexpr int64_t kNotBegun = INT64_MIN;  // below any int

  struct Tasks {
    size_t unfinished = 0;
    TaskList later{TaskPlace::kLater};
  };

  // Most tasks have 0, and are not looked up.
  Tasks& Of(int stop_order);

  std::map<int, Tasks> tasks_{{0, {}}};
  Tasks& without_order_ = tasks_.begin()->second;
  std::atomic<int64_t> current_{kNotBegun};
  int lowest_due_ = INT_MIN;  // no stage below has anybody put aside
  size_t following_ = 0;
};

// Each stage has an equal part of the time that is left when it becomes current. Belongs to one
// thread that sees to a shutdown.
class StageParts {
 public:
  explicit StageParts(int64_t deadline_nanos) : deadline_nanos_(deadline_nanos) {}

  // When the current stage has had its part. kNever: only when it is over, or none follows.
  int64_t EndOf(const StopStages::Stage& current, int64_t now_nanos);
  // Whether that part is more than nothing.
  bool gives_time() const { return gives_time_; }

 private:
  const int64_t deadline_nanos_;
  bool known_ = false;
  bool gives_time_ = true;
  int stop_order_ = 0;
  int64_t end_nanos_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_STOP_STAGES_H_
