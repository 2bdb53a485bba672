// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// CrashPlan: at which messages the processing of a topic throws, before its work or after it, which
// is before the commit. The same seed gives the same plan.
//
// Thread safety: one thread at a time.

#ifndef FOXTIVE_EXAMPLES_KAFKA_CRASH_PLAN_H_
#define FOXTIVE_EXAMPLES_KAFKA_CRASH_PLAN_H_

#include <cstdint>
#include <map>

namespace kafka_consumer {

class CrashPlan {
 public:
  // `crashes` messages of `messages` crash; by turns before and after the work, and every third one
  // twice in a row. `topic` is the index of the topic.
  CrashPlan(uint64_t seed, uint64_t topic, int64_t messages, int64_t crashes);

  // Throws std::runtime_error if it is the turn of this message.
  void BeforeWork(int64_t number) { Crash(number, Moment::kBeforeWork); }
  void AfterWork(int64_t number) { Crash(number, Moment::kAfterWork); }

 private:
  enum class Moment { kBeforeWork, kAfterWork };
  struct Planned {
    Moment moment;
    int64_t times;
  };

  void Crash(int64_t number, Moment moment);

  std::map<int64_t, Planned> plan_;  // what is still to come, by number
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_CRASH_PLAN_H_
