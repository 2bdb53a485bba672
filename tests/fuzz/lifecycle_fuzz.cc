// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Fuzz target: the pure core. Lives of tasks through Next(), with the verdicts of their attempts,
// against the tables; and backoffs with any parameters at all: what they say about themselves, and
// their delays.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "foxtive/task_info.h"
#include "lib/core/lifecycle.h"
#include "tests/fuzz/arbitrary.h"
#include "tests/fuzz/input.h"
#include "tests/support/lifecycle_model.h"

namespace foxtive::test {
namespace {

using internal::AttemptEnd;
using internal::AttemptFacts;
using internal::LifeEvent;
using internal::RestartRules;
using internal::Transition;
using internal::Verdict;

// --- The life of a task.

class Life {
 public:
  explicit Life(Input& input) : input_(input), limit_(MakeLimit(input)) {
    rules_ = {.policy = PolicyOf(limit_),
              .restart_on = input.Bool() ? RestartOn::kAnyExit : RestartOn::kFailure,
              .retry_setup = input.Bool()};
  }

  // Whatever comes, also what the shell would never say.
  void Happen(LifeEvent event) {
    const Transition transition = Next(state_, event);
    CheckTable(event, transition);
    CheckOrder(event, transition);
    state_ = transition.next;
  }

  // An attempt as a lane ends it: the count, the question, the verdict, the event.
  void EndAttempt() {
    const AttemptFacts facts = {.end = static_cast<AttemptEnd>(input_.Below(4)),
                                .stop_requested = input_.Bool(),
                                .permanent = input_.Bool()};
    Count(facts);
    const bool permitted = CheckQuestion(facts);
    const Verdict verdict = Judge(rules_, facts, permitted, failures_);
    CheckVerdict(facts, permitted, verdict);
    if (state_ != TaskState::kRunning) return;
    if (verdict.final) return Happen(LifeEvent::kEndDecided);
    Happen(input_.Bool() ? LifeEvent::kGiveWay : LifeEvent::kBackOff);
  }

  // As if so many had failed in a row already.
  void SetFailures(int64_t failures) { failures_ = failures; }

 private:
  static int64_t MakeLimit(Input& input) {
    const AnyPolicy made = MakePolicy(input);
    return made.refused.empty() ? made.limit : -1;
  }

  // How far it is: it never goes back behind a stop.
  static int Stage(TaskState state) {
    switch (state) {
      case TaskState::kStopping:
        return 1;
      case TaskState::kOverdue:
        return 2;
      case TaskState::kFinished:
        return 3;
      default:
        return 0;
    }
  }

  void CheckTable(LifeEvent event, const Transition& transition) const {
    const LifecycleRow* const row = FindLifecycleRow(state_, event);
    const bool same = transition.taken == (row != nullptr) &&
                      transition.next == (row != nullptr ? row->next : state_) &&
                      transition.actions == (row != nullptr ? row->actions : 0);
    Check(same, [&] {
      return absl::StrCat("Next(", ToString(state_), ", event ", static_cast<int>(event),
                          ") is not what the table says");
    });
  }

  void CheckOrder(LifeEvent event, const Transition& transition) {
    Check(Stage(transition.next) >= Stage(state_), "it goes back behind a stop");
    const bool ended = state_ == TaskState::kFinished;
    Check(!ended || !transition.taken, "something happens after the end");
    const bool stops = event == LifeEvent::kStopRequested && transition.taken;
    Check(stops == ((transition.actions & internal::kArmStopTimer) != 0),
          "the timer of a stop goes with another event");
    Check(!stops || !stopped_, "a stop is taken twice");
    stopped_ = stopped_ || stops;
    if ((transition.actions & internal::kEnqueue) != 0) ++enqueued_;
    if (transition.taken && event == LifeEvent::kGiveWay) ++enqueued_;
    if (transition.taken && event == LifeEvent::kTakenUp) ++taken_up_;
    Check(taken_up_ <= enqueued_, "a lane has taken up what was not in the queue");
  }

  void Count(const AttemptFacts& facts) {
    const int64_t before = failures_;
    const bool healthy = input_.Bool();
    failures_ = CountFailures(before, facts.end, healthy);
    const bool failed = facts.end == AttemptEnd::kFailed || facts.end == AttemptEnd::kSetupFailed;
    const int64_t expected = facts.end == AttemptEnd::kSucceeded ? 0
                             : !failed                           ? before
                             : healthy                           ? 1
                                                                 : before + 1;
    Check(failures_ == expected, "failures are miscounted");
    Check(internal::DelayNumber(failures_) >= 1, "there is no such delay");
  }

  // should_restart is asked exactly where its answer makes a difference, unless something has
  // decided that comes after it.
  bool CheckQuestion(const AttemptFacts& facts) {
    const bool asks = AsksShouldRestart(rules_, facts);
    const Verdict no = Judge(rules_, facts, false, failures_);
    const Verdict yes = Judge(rules_, facts, true, failures_);
    if (!asks) Check(no.row == yes.row, "what was not asked has decided");
    if (asks) Check(no.row == 5 && yes.row > 5, "the answer of should_restart counts for nothing");
    return !asks || input_.Bool();
  }

  void CheckVerdict(const AttemptFacts& facts, bool permitted, const Verdict& verdict) const {
    const std::optional<SupervisionStatus> expected =
        ExpectedVerdict(rules_, facts, permitted, limit_, failures_);
    Check(verdict.final == expected.has_value(), "the verdict goes on or ends by mistake");
    Check(!verdict.final || verdict.status == *expected, [&] {
      return absl::StrCat("the verdict is ", ToString(verdict.status), " instead of ",
                          ToString(*expected));
    });
    const std::string reason(ReasonOf(verdict));
    const std::string row = absl::StrCat("(verdict row ", verdict.row, ")");
    Check(reason.ends_with(row), [&] { return absl::StrCat("the reason of ", row, ": ", reason); });
  }

  Input& input_;
  const int64_t limit_;
  RestartRules rules_;
  TaskState state_ = TaskState::kRegistered;
  int64_t failures_ = 0;
  bool stopped_ = false;
  int64_t enqueued_ = 0;
  int64_t taken_up_ = 0;
};

void LiveOneLife(Input& input) {
  Life life(input);
  for (size_t left = input.Below(64); left > 0; --left) {
    const size_t what = input.Below(internal::kLifeEvents + 6);
    if (what < internal::kLifeEvents) {
      life.Happen(static_cast<LifeEvent>(what));
    } else if (what == internal::kLifeEvents) {
      // There is one more to come, at least.
      const uint64_t most = std::numeric_limits<int64_t>::max() - 64;
      life.SetFailures(static_cast<int64_t>(std::min(input.Number(), most)));
    } else {
      life.EndAttempt();
    }
  }
}

// --- Backoffs.

void CheckRefusal(const absl::Status& status, const std::string& refused) {
  Check(status.ok() == refused.empty(), [&] {
    return absl::StrCat("Validate() says ", status.ToString(), ", to be refused is '", refused,
                        "'");
  });
  if (status.ok()) return;
  Check(status.code() == absl::StatusCode::kInvalidArgument, "it is refused with another code");
  Check(std::string(status.message()).starts_with(refused + ": "),
        [&] { return absl::StrCat("'", refused, "' is not named: ", status.ToString()); });
}

void CheckDelay(const AnyBackoff& made, int64_t failures, double unit) {
  const absl::Duration delay = made.strategy.Delay(failures);
  const absl::Duration jittered = made.strategy.Delay(failures, unit);
  const auto fault = [&](const char* what) {
    return absl::StrCat(ToString(made.strategy), ", delay ", failures, " at ", unit, ": ", what,
                        ": ", absl::FormatDuration(delay), ", with jitter ",
                        absl::FormatDuration(jittered));
  };
  Check(std::min(delay, jittered) >= absl::ZeroDuration(), [&] { return fault("negative"); });
  if (!made.refused.empty()) return;
  Check(std::max(delay, jittered) <= made.max, [&] { return fault("above its max"); });
  if (delay == absl::InfiniteDuration()) return;
  // A product of a duration is rounded to a quarter of a nanosecond, or as a double is.
  const absl::Duration slack = absl::Nanoseconds(1) + delay / (int64_t{1} << 50);
  Check(jittered >= delay * (1 - made.jitter) - slack, [&] { return fault("below its range"); });
  Check(jittered <= delay * (1 + made.jitter) + slack, [&] { return fault("above its range"); });
  const bool last = failures == std::numeric_limits<int64_t>::max();
  Check(made.custom || last || delay <= made.strategy.Delay(failures + 1),
        [&] { return fault("more than the next one"); });
}

bool Throws(const AnyBackoff& made) {
  try {
    made.strategy.Delay(1);
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

void TryBackoff(Input& input) {
  const AnyBackoff made = MakeBackoff(input, input.Bool());
  CheckRefusal(made.strategy.Validate(), made.refused);
  Check(!ToString(made.strategy).empty(), "it has no text");
  // There is nothing to be called in a Custom strategy without a function.
  if (made.custom && (!made.refused.empty() || Throws(made))) return;
  for (size_t left = input.Below(6) + 1; left > 0; --left) {
    const auto failures = static_cast<int64_t>(input.Number());
    const double unit = input.Bool() ? input.Real() : static_cast<double>(input.Byte()) / 256;
    CheckDelay(made, failures, unit);
  }
}

void TryPolicy(Input& input) {
  const AnyPolicy made = MakePolicy(input);
  CheckRefusal(made.policy.Validate(), made.refused);
  Check(!ToString(made.policy).empty(), "it has no text");
}

void TryJitterUnit(Input& input) {
  const uint64_t seed = input.Number();
  const uint64_t task = input.Number();
  const double unit = internal::JitterUnit(seed, task, static_cast<int64_t>(input.Number()));
  Check(unit >= 0 && unit < 1, "JitterUnit is out of its range");
}

}  // namespace
}  // namespace foxtive::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  foxtive::test::Input input(data, size);
  while (!input.empty()) {
    switch (input.Below(4)) {
      case 0:
        foxtive::test::LiveOneLife(input);
        break;
      case 1:
        foxtive::test::TryBackoff(input);
        break;
      case 2:
        foxtive::test::TryPolicy(input);
        break;
      default:
        foxtive::test::TryJitterUnit(input);
    }
  }
  return 0;
}
