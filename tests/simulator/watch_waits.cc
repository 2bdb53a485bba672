// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a worker waits for, and what it leaves to be called when it is to stop.

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "tests/simulator/box.h"
#include "tests/simulator/watch.h"
#include "tests/simulator/watch_parts.h"
#include "tests/simulator/world.h"

namespace foxtive::test {
namespace {

int64_t After(int64_t nanos, absl::Duration duration) {
  return duration == absl::InfiniteDuration() ? INT64_MAX : nanos + Nanos(duration);
}

}  // namespace

void TaskWatch::Waits(const AttemptPlan& attempt, TaskContext& context) {
  using Leaves = AttemptPlan::Leaves;
  std::optional<LeftCallback> left;
  if (attempt.leaves != Leaves::kNothing && attempt.leaves != Leaves::kLate) {
    left.emplace(*this, context, attempt.leaves == Leaves::kThrowingCallback);
  }
  if (attempt.leaves == Leaves::kEarly) left.reset();
  if (attempt.gives) world_.Give(plan_.number + static_cast<uint64_t>(runs_));
  if (attempt.wants_descriptor) AskForDescriptor(context);
  if (attempt.sleep > absl::ZeroDuration()) Sleep(attempt, context);
  if (attempt.awaits_gift) AwaitGift(attempt, context);
  if (attempt.leaves == Leaves::kLate) left.emplace(*this, context, /*throws=*/false);
  Dwell(attempt.deaf);
}

// In pieces, between which it beats, until one of them does not last to its end.
void TaskWatch::InPieces(absl::Duration left, const AttemptPlan& attempt, TaskContext& context,
                         const std::function<absl::Status(absl::Duration)>& wait) {
  while (true) {
    const absl::Duration piece = std::min(left, attempt.beats_every);
    if (!absl::IsDeadlineExceeded(wait(piece))) return;
    left -= piece;
    if (attempt.beats_every < absl::InfiniteDuration()) Beat(context);
    if (left <= absl::ZeroDuration()) return;
  }
}

void TaskWatch::Sleep(const AttemptPlan& attempt, TaskContext& context) {
  InPieces(attempt.sleep, attempt, context, [&](absl::Duration piece) {
    const int64_t began = Now();
    const int64_t due = began + Nanos(piece);
    wait_ = {.on = true, .ends = due};
    const bool slept = context.SleepFor(piece);
    wait_ = {};
    if (!slept) {
      if (!context.stop_requested()) Fail("SleepFor was cut short without a stop");
      CheckStoppedAtOnce(began);
      CheckTurn();
      return absl::CancelledError("");
    }
    if (Now() < due) Fail("SleepFor was over too early");
    if (world_.exact() && Now() > due) Fail("SleepFor was over too late");
    return absl::DeadlineExceededError("");
  });
}

void TaskWatch::AwaitGift(const AttemptPlan& attempt, TaskContext& context) {
  Box& box = world_.BoxOf(plan_.number);
  InPieces(attempt.patience, attempt, context, [&](absl::Duration piece) {
    const int64_t began = Now();
    const bool stopped = context.stop_requested();
    std::unique_lock lock(box.mutex);
    wait_ = {.on = true, .box = &box, .ends = After(began, piece)};
    const auto is_full = [&box] { return box.full; };
    const absl::Status status = context.Wait(box.changed, lock, is_full, piece);
    if (!lock.owns_lock()) Fail("a wait is over without its lock");
    CheckWait(status, stopped, began, context);
    wait_ = {};
    if (status.ok()) box.full = false;
    return status;
  });
}

// Under the lock of the box, with which the wait has returned, so there is in it what the wait saw.
void TaskWatch::CheckWait(const absl::Status& status, bool stopped, int64_t began,
                          const TaskContext& context) {
  Note("waited", static_cast<int64_t>(status.code()));
  if (absl::IsCancelled(status)) {
    if (!context.stop_requested()) Fail("a wait was cancelled without a stop");
    CheckTurn();
    return CheckStoppedAtOnce(began);
  }
  // Where threads are left anywhere, a stop may come between the end of the wait and this line.
  if (stopped || (world_.exact() && context.stop_requested())) {
    Fail(absl::StrCat("a stop did not win over ", status.ToString()));
  }
  if (!status.ok() && !absl::IsDeadlineExceeded(status)) {
    Fail(absl::StrCat("a wait ended with ", status.ToString()));
  }
  if (status.ok() != wait_.box->full) {
    Fail(absl::StrCat("a wait ended with ", status.ToString(), ", and its box is ",
                      wait_.box->full ? "full" : "empty"));
  }
  if (!status.ok() && Now() < wait_.ends) Fail("a wait was over before its timeout");
  const int64_t due = std::max(began, status.ok() ? wait_.box->since : wait_.ends);
  if (world_.exact() && Now() != due) {
    Fail(absl::StrCat("a wait ended with ", status.ToString(), " ",
                      absl::FormatDuration(absl::Nanoseconds(Now() - due)), " too late"));
  }
}

// There is no kernel that could tell the time of a world.
void TaskWatch::AskForDescriptor(const TaskContext& context) const {
  const int64_t asked_at = Now();
  const bool stopped = context.stop_requested();
  constexpr int kAny = 0;
  for (const absl::Status& status : {context.WaitReadable(kAny), context.WaitWritable(kAny)}) {
    const bool says_why = status.message().find("simulated time") != absl::string_view::npos;
    const bool refused = absl::IsFailedPrecondition(status) && says_why && !stopped;
    const bool cancelled = absl::IsCancelled(status) && context.stop_requested();
    if (!refused && !cancelled) {
      Fail(absl::StrCat("a wait for a descriptor on simulated time: ", status.ToString()));
    }
  }
  if (world_.exact() && Now() != asked_at) Fail("it waited for a descriptor that was refused");
}

// --- Stops that have to be noticed.

// When the attempt in `run` has been asked to stop for certain, if it has.
int64_t TaskWatch::StoppedBy() const {
  int64_t by = world_.ShutDownAt(plan_.stop_order);
  if (stop_answered_) by = std::min(by, stop_asked_at_);
  const int64_t missed = SurelyMissedAt();
  if (on_stuck() == OnStuck::kReport || missed == INT64_MAX) return by;
  return std::min(by, missed + 2 * kTickNanos);
}

void TaskWatch::CheckStoppedAtOnce(int64_t began) const {
  const int64_t by = StoppedBy();
  if (!world_.exact() || by == INT64_MAX || Now() <= std::max(began, by)) return;
  Fail(absl::StrCat("a stop ended its wait ",
                    absl::FormatDuration(absl::Nanoseconds(Now() - std::max(began, by))),
                    " too late"));
}

// If it was the shutdown that has asked it.
void TaskWatch::CheckTurn() const {
  if (asks_ > 0 || stop_answered_ || MayHaveMissed() || may_be_given_up_ || maybe_hung_) return;
  world_.CheckTurn(*this);
}

void TaskWatch::LookAtWait() const {
  if (!wait_.on) return;
  if (wait_.box != nullptr && wait_.box->full) Fail("it waits for a gift that is there");
  if (Now() > wait_.ends) Fail("the timeout of its wait has passed, and it waits");
  if (world_.exact() && Now() > StoppedBy()) Fail("it was asked to stop, and waits");
}

// --- OnStop.

struct TaskWatch::LeftCallback::State {
  int calls = 0;
  bool lives = true;
};

// What is called takes no time: a std::stop_callback tells threads by their ids, and those of a
// simulation have one, so its destructor would not wait for another one's call.
TaskWatch::LeftCallback::LeftCallback(TaskWatch& watch, const TaskContext& context, bool throws)
    : watch_(watch), state_(std::make_shared<State>()) {
  const bool stopped = context.stop_requested();
  callback_.reset(new StopCallback<std::function<void()>>(context.OnStop(
      std::function<void()>([self = watch.shared_from_this(), state = state_, throws] {
        self->Note("OnStop", state->calls);
        if (!state->lives) self->Fail("what OnStop gave was destroyed, and is called");
        if (++state->calls > 1) self->Fail("OnStop's callback is called twice");
        if (!self->stops() && !self->MayHaveMissed())
          self->Fail("OnStop's callback without a stop");
        if (throws) throw std::runtime_error(kExceptionText);
      }))));
  if (stopped && state_->calls != 1) watch_.Fail("OnStop's callback is not called after a stop");
}

TaskWatch::LeftCallback::~LeftCallback() {
  callback_ = nullptr;
  state_->lives = false;
  const bool in_time = watch_.world_.has_service_for_all() && watch_.StoppedBy() < watch_.Now();
  if (in_time && state_->calls != 1) watch_.Fail("OnStop's callback was not called");
}

}  // namespace foxtive::test
