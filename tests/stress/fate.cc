// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/stress/fate.h"

#include "absl/strings/str_cat.h"
#include "tests/support/random.h"

namespace foxtive::test {
namespace {

// Random numbers of their own, so that a seed means what it did before: to these an attempt is
// added.
constexpr uint64_t kWatched = uint64_t{1} << 40;
constexpr uint64_t kOtherConduct = uint64_t{1} << 41;
constexpr uint64_t kPatience = uint64_t{1} << 42;
constexpr uint64_t kCallbacks = uint64_t{1} << 43;
constexpr uint64_t kStopOrder = uint64_t{1} << 44;

}  // namespace

Fate Fate::Make(uint64_t seed, int32_t number) {
  Random random(seed, static_cast<uint64_t>(number));
  Fate fate{.seed = seed, .number = number};
  fate.limit = random.OneOf<int64_t>({-1, -1, 0, 1, 2, 3, 5, 20});
  fate.any_exit = random.OneIn(4);
  fate.has_setup = random.OneIn(3);
  fate.retries_setup = random.OneIn(2);
  fate.has_hooks = !random.OneIn(4);
  fate.hooks_throw = random.OneIn(6);
  if (!random.OneIn(3)) fate.delay = random.Duration(absl::Milliseconds(3));
  if (random.OneIn(4)) fate.initial_delay = random.Duration(absl::Milliseconds(2));
  fate.stop_timeout = random.OneIn(3) ? random.Duration(absl::Milliseconds(5)) : absl::Hours(1);
  // Some share their names.
  fate.name = random.OneIn(8) ? absl::StrCat("shared ", random.Below(3)) : absl::StrCat(number);
  fate.watched = Random(seed, static_cast<uint64_t>(number), kWatched).OneIn(6);
  if (fate.watched) fate.limit = 5;
  Random orders(seed, static_cast<uint64_t>(number), kStopOrder);
  fate.stop_order = orders.OneOf({-7, 0, 0, 0, 1, 2});
  return fate;
}

Outcome Fate::OutcomeOf(int64_t attempt) const {
  if (watched) return Outcome::kError;
  Random random(seed, static_cast<uint64_t>(number), static_cast<uint64_t>(attempt) * 4 + 1);
  const uint64_t drawn = random.Below(20);
  if (drawn < 5) return Outcome::kOk;
  if (drawn < 6) return Outcome::kPermanentError;
  return drawn < 14 ? Outcome::kError : Outcome::kException;
}

Conduct Fate::ConductOf(int64_t attempt) const {
  Random random(seed, static_cast<uint64_t>(number), static_cast<uint64_t>(attempt) * 4 + 2);
  if (attempt >= kMostAttempts) return Conduct::kWaits;
  const uint64_t drawn = random.Below(80);
  Random more(seed, static_cast<uint64_t>(number), kOtherConduct + static_cast<uint64_t>(attempt));
  if (drawn < 2) return more.OneOf({Conduct::kWaits, Conduct::kAwaitsCallback});
  if (drawn < 3) return Conduct::kIsDeaf;
  if (drawn < 6) return Conduct::kStops;
  if (drawn < 8) return Conduct::kSubmits;
  if (drawn < 20) {
    return more.OneOf({Conduct::kNaps, Conduct::kAwaitsDescriptor, Conduct::kAwaitsCondition});
  }
  return drawn < 50 ? Conduct::kYields : Conduct::kNothing;
}

absl::Duration Fate::PatienceOf(int64_t attempt) const {
  Random random(seed, static_cast<uint64_t>(number), kPatience + static_cast<uint64_t>(attempt));
  return random.OneIn(8) ? absl::InfiniteDuration() : random.Duration(absl::Milliseconds(2));
}

bool Fate::LeavesCallback(int64_t attempt) const {
  return ConductOf(attempt) == Conduct::kAwaitsCallback ||
         Random(seed, static_cast<uint64_t>(number), kCallbacks + static_cast<uint64_t>(attempt))
             .OneIn(4);
}

Outcome Fate::SetupOutcome(int64_t times) const {
  if (times >= kMostSetups) return Outcome::kOk;
  Random random(seed, static_cast<uint64_t>(number), static_cast<uint64_t>(times) * 4 + 3);
  return random.OneOf({Outcome::kOk, Outcome::kOk, Outcome::kError, Outcome::kException});
}

bool Fate::IsDeafAtOnce() const {
  return ConductOf(1) == Conduct::kIsDeaf && !has_setup && !watched &&
         initial_delay == absl::ZeroDuration() && name == absl::StrCat(number);
}

bool Fate::MayRestart(int64_t attempt) const {
  return !Random(seed, static_cast<uint64_t>(number), static_cast<uint64_t>(attempt) * 4 + 4)
              .OneIn(30);
}

}  // namespace foxtive::test
