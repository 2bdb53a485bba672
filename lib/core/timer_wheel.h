// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TimerWheel holds every deadline of a supervisor: O(1) to schedule and to cancel, nothing
// allocated, and the next deadline known without ticking.
//
// The algorithm is the hierarchical timing wheel of Varghese and Lauck ("Hashed and Hierarchical
// Timing Wheels", SOSP 1987), driven by the earliest deadline instead of by a tick, as in the radix
// heap of Ahuja, Mehlhorn, Orlin and Tarjan (1990). Read a deadline as 9 digits: the lowest has 8
// bits, two have 10, six have 6. The wheel has a cursor, which no scheduled deadline precedes. A
// timer waits on the level of the highest digit in which its deadline differs from the cursor, in
// the slot of that digit. So:
//   - every timer on a level is due before every timer on a higher level, and so it is with the
//     slots of one level: two bit scans find the earliest slot;
//   - where a timer waits follows from cursor and deadline, so timers of one deadline always share
//     one list: nothing can change their order;
//   - a list is a ring through its slot, so cancelling needs no position and no slot, except for
//     the last timer of one, whose neighbours are the slot;
//   - when the earliest timer is due, the cursor jumps to it and the rest of its slot moves down. A
//     timer moves at most 8 times in its life, however far time jumps; a slot of one never does.
//
// Why these digits: what a timer costs is above all cache misses, and each move is one. A minute
// of microseconds spreads over 229 slots of the third level, whose lists are short; with 100 k
// timers the second level has a slot for nearly each one of such a list, so most move once before
// they are due. With ten digits of 7 bits the minute has 29 slots of the fourth level, and they
// move twice: a pop is slower by a sixth with 10 k timers and by a third with 1 M, though faster by
// a tenth with 1 k, as fewer slots have two or three. With digits of 8 bits the minute has 4 slots:
// with 100 k a pop is slower by a half. Few timers are due in more than 2^28 ticks, so 6 bits are
// enough there. The slots take 63 KB; those in use are few.
//
// The next deadline is exact: the wheel never asks to be woken for its own housekeeping. Each slot
// knows its earliest deadline and has that timer first in its list. Cancelling that very timer
// leaves a lower bound, which is recognised by the first timer's being due later, and the slot is
// scanned when it comes to the front, if it has at most kMaxScan timers. A fuller one keeps
// its bound (else cancelling the first of a million timers again and again would be quadratic): a
// consumer that sleeps until the bound wakes early once, and PopDue() then moves the slot down. So
// an early wake-up needs a cancelled timer, moves more than kMaxScan timers, and no timer is moved
// more than 8 times: at most 8 early wake-ups per 257 timers, whatever the caller does.
//
// The longest pause is one PopDue() that moves a whole slot, and it is a matter of cache misses:
// with a slot of 100 k timers some 2 ms; of a million 5 ms if they were scheduled in the order in
// which they lie in memory, 0.2 s if they are strewn at random over 64 MB. A supervisor has lanes
// for a thousand. Moving a slot in portions would need calls that find nothing although something
// is due, so the pause is taken instead.
//
// Lifetime: nodes belong to the caller and must be cancelled or popped before they are destroyed;
// a node destroyed while scheduled aborts the process. Destroying the wheel cancels what is left.
// Thread safety: none; the monitor thread owns the wheel. Blocking, allocation, errors: none; a
// broken REQUIRES aborts with a message.
//
//   struct Record : TimerNode { ... };
//   wheel.Schedule(record, now_ticks + delay_ticks);
//   while (TimerNode* node = wheel.PopDue(now_ticks)) Handle(static_cast<Record&>(*node));
//   SleepUntil(wheel.NextDeadline());

#ifndef FOXTIVE_LIB_CORE_TIMER_WHEEL_H_
#define FOXTIVE_LIB_CORE_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace foxtive::internal {

// What a slot's list is made of; the slot itself closes the ring. `prev` of a node that is not
// scheduled means nothing.
struct TimerLink {
  TimerLink* prev = nullptr;
  TimerLink* next = nullptr;
};

// Derive from it, and get the owner back with a static_cast. 24 bytes.
class TimerNode : private TimerLink {
 public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  ~TimerNode();  // REQUIRES: !scheduled()

  bool scheduled() const { return next != nullptr; }

  // When it is, or was last, due: what Schedule() was given, or the time of that call if later.
  uint64_t deadline_ticks() const { return deadline_ticks_; }

 private:
  friend class TimerWheel;
  uint64_t deadline_ticks_ = 0;
};

class TimerWheel {
 public:
  // No deadline. A timer scheduled for kNever counts in size() and is never due.
  static constexpr uint64_t kNever = UINT64_MAX;
  // A slot of at most so many timers always knows its earliest: some microseconds of scanning.
  static constexpr size_t kMaxScan = 256;
  // The width of each digit, the lowest first.
  static constexpr std::array kDigitBits = {8, 10, 10, 6, 6, 6, 6, 6, 6};
  static constexpr int kLevels = static_cast<int>(kDigitBits.size());

  explicit TimerWheel(uint64_t now_ticks);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Makes `node` due at `deadline_ticks`. A deadline that has passed counts as the latest time that
  // the wheel was told: due at the next PopDue(), but behind what is overdue already, so that no
  // caller who schedules into the past can starve the others. O(1).
  // REQUIRES: !node.scheduled().
  void Schedule(TimerNode& node, uint64_t deadline_ticks);

  // False, and nothing changes, if `node` is not scheduled. O(1).
  // REQUIRES: a scheduled `node` is scheduled on this wheel.
  bool Cancel(TimerNode& node);

  // Takes one timer whose deadline is at most `now_ticks`, the earliest first, equal deadlines in
  // the order of Schedule(); null if none is due. Anything may be scheduled or cancelled between
  // two calls, the node just returned included. Time that goes back counts as standing still.
  // Amortised O(kLevels) per timer; independent of how far time has moved.
  TimerNode* PopDue(uint64_t now_ticks);

  // The earliest deadline, or kNever. Exact, except for the lower bound described above: only
  // after a Cancel(), and only with more than kMaxScan timers in the earliest slot. O(kMaxScan).
  uint64_t NextDeadline() const;

  size_t size() const { return size_; }

 private:
  // Empty: linked to itself, kNever.
  struct Slot : TimerLink {
    uint64_t earliest = kNever;  // no deadline precedes it; exact if the first timer has it
  };
  static constexpr int kSlotsOfLevel0 = 1 << kDigitBits[0];
  static constexpr int kSlots = [] {
    int slots = 0;
    for (const int bits : kDigitBits) slots += 1 << bits;
    return slots;
  }();
  static constexpr int kWordBits = 64;

  unsigned IndexOf(uint64_t deadline_ticks) const;
  unsigned FirstIndex() const;  // REQUIRES: occupied_words_ != 0
  void Link(TimerNode& node);
  void Unlink(TimerNode& node);
  void MarkOccupied(unsigned index);
  void MarkEmpty(Slot& slot);
  void MoveDown(Slot& slot);
  static TimerNode* FindEarliest(const Slot& slot);
  static void PutEarliestFirst(Slot& slot);

  uint64_t now_ticks_;
  uint64_t cursor_;  // at most now_ticks_, and at most every deadline
  size_t size_ = 0;
  uint64_t occupied_words_ = 0;                                   // bit w: word w is not 0
  std::array<uint64_t, kSlots / kWordBits> occupied_slots_ = {};  // bit s of word w: slot 64 w + s
  std::array<Slot, kSlots> slots_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_TIMER_WHEEL_H_
