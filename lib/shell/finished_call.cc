// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/finished_call.h"

#include <utility>

#include "lib/shell/engine.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_state.h"

namespace foxtive::internal {

// Marks the thread as inside of a call of `engine`. Nests: a callback may have that of a Supervisor
// which is gone called.
class FinishedCallScope {
 public:
  explicit FinishedCallScope(const Engine& engine)
      : outer_(this_thread_state.finished_call), engine_(engine) {
    this_thread_state.finished_call = this;
  }
  ~FinishedCallScope() { this_thread_state.finished_call = outer_; }
  FinishedCallScope(const FinishedCallScope&) = delete;
  FinishedCallScope& operator=(const FinishedCallScope&) = delete;

  static bool InsideOf(const Engine& engine) {
    const FinishedCallScope* scope = this_thread_state.finished_call;
    while (scope != nullptr && &scope->engine_ != &engine) scope = scope->outer_;
    return scope != nullptr;
  }

 private:
  const FinishedCallScope* const outer_;
  const Engine& engine_;
};

FinishedCall::FinishedCall(std::string task_name, FinishedCallback callback)
    : result{.task_name = std::move(task_name)}, callback_(std::move(callback)) {}

void FinishedCall::Fire(std::unique_ptr<FinishedCall> call, TaskRecord& record, Engine& engine,
                        bool may_run_here) {
  record.Ref();
  call->record_ = &record;
  call->engine_ = EngineRef(engine);
  FinishedCall& fired = *call.release();
  const bool open = engine.finished_calls().Begin();
  if (open || !may_run_here) {
    engine.services().Push(fired);  // never refused: it is not withdrawn
  } else {
    fired.Run();
    fired.Release();
  }
}

// Also the callback's own destruction is the user's code.
Job::Outcome FinishedCall::Run() noexcept {
  const FinishedCallScope scope(*engine_);
  record_->CallFinished(callback_, result);
  return Outcome::kDone;
}

void FinishedCall::Release() noexcept {
  const EngineRef engine = std::move(engine_);
  {
    // What goes with the record may own the Supervisor, whose end must not wait for this call.
    const FinishedCallScope scope(*engine);
    record_->ReleaseOnLane();
  }
  delete this;
  engine->finished_calls().End();
}

bool FinishedCalls::Begin() {
  MutexLock lock(mutex_);
  ++under_way_;
  return !closed_;
}

void FinishedCalls::End() {
  {
    MutexLock lock(mutex_);
    --under_way_;
  }
  waiters_.WakeAll(mutex_, real_clock_);
}

void FinishedCalls::Close(int64_t real_deadline_nanos, int own) {
  MutexLock lock(mutex_);
  waiters_.Await(mutex_, real_clock_, real_deadline_nanos, [this, own] {
    mutex_.AssertHeld();
    return under_way_ <= own;
  });
  closed_ = true;
}

int FinishedCallsHere(const Engine& engine) { return FinishedCallScope::InsideOf(engine) ? 1 : 0; }

}  // namespace foxtive::internal
