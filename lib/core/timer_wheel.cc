// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/timer_wheel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace foxtive::internal {
namespace {

// Not assert(): a ring with a dead node in it corrupts memory long after the mistake, so the checks
// stay in release builds.
void Require(bool condition, const char* message) {
  if (condition) [[likely]]
    return;
  std::fprintf(stderr, "foxtive: %s\n", message);
  std::abort();
}

// Where the slots of a digit begin, and how the digit is got out of a deadline.
struct Digit {
  uint32_t first_slot = 0;
  uint16_t mask = 0;
  uint16_t shift = 0;
};

// For each bit of a deadline the digit that it belongs to. Looking it up takes no longer than a
// division by the width would, if all digits had one.
constexpr std::array<Digit, 64> kDigitOfBit = [] {
  std::array<Digit, 64> digit_of_bit;
  Digit digit;
  for (const int bits : TimerWheel::kDigitBits) {
    digit.mask = static_cast<uint16_t>((1 << bits) - 1);
    for (int bit = 0; bit < bits; ++bit) digit_of_bit[digit.shift + bit] = digit;
    digit.first_slot += uint32_t{1} << bits;
    digit.shift = static_cast<uint16_t>(digit.shift + bits);
  }
  return digit_of_bit;
}();

// In this order the two stores to `link` can't be made one of vectors, which costs more than both.
void Insert(TimerLink& prev, TimerLink& link, TimerLink& next) {
  link.prev = &prev;
  prev.next = &link;
  link.next = &next;
  next.prev = &link;
}

}  // namespace

TimerNode::~TimerNode() { Require(!scheduled(), "a TimerNode was destroyed while scheduled"); }

TimerWheel::TimerWheel(uint64_t now_ticks)
    : now_ticks_(std::min(now_ticks, kNever - 1)), cursor_(now_ticks_) {
  static_assert(kSlots % kWordBits == 0, "no slot is without a bit");
  static_assert(kSlots / kWordBits <= 64, "occupied_words_ has a bit for each word");
  for (Slot& slot : slots_) slot.prev = slot.next = &slot;
}

TimerWheel::~TimerWheel() {
  while (size_ > 0) Unlink(static_cast<TimerNode&>(*slots_[FirstIndex()].next));
}

void TimerWheel::Schedule(TimerNode& node, uint64_t deadline_ticks) {
  Require(!node.scheduled(), "Schedule() of a TimerNode that is scheduled already");
  // Free while nothing depends on the cursor, and the closer it is, the fewer moves later.
  if (occupied_words_ == 0) cursor_ = now_ticks_;
  node.deadline_ticks_ = std::max(deadline_ticks, now_ticks_);
  Link(node);
  ++size_;
}

bool TimerWheel::Cancel(TimerNode& node) {
  if (!node.scheduled()) return false;
  Unlink(node);
  return true;
}

TimerNode* TimerWheel::PopDue(uint64_t now_ticks) {
  // kNever - 1 is the end of time: a timer at kNever must not become due.
  now_ticks_ = std::max(now_ticks_, std::min(now_ticks, kNever - 1));
  while (occupied_words_ != 0) {
    const unsigned index = FirstIndex();
    Slot& slot = slots_[index];
    if (slot.earliest > now_ticks_) return nullptr;  // Before any timer has to be looked at.
    PutEarliestFirst(slot);
    if (slot.earliest > now_ticks_) return nullptr;
    cursor_ = slot.earliest;
    TimerNode& first = static_cast<TimerNode&>(*slot.next);
    if (first.deadline_ticks_ == cursor_) {
      Unlink(first);  // From where it is: it need not move down with the rest.
      if (index >= kSlotsOfLevel0 && slot.next != &slot) MoveDown(slot);
      return &first;
    }
    MoveDown(slot);
  }
  return nullptr;
}

uint64_t TimerWheel::NextDeadline() const {
  if (occupied_words_ == 0) return kNever;
  const Slot& slot = slots_[FirstIndex()];
  const TimerNode* const earliest = FindEarliest(slot);
  return earliest == nullptr ? slot.earliest : earliest->deadline_ticks_;
}

inline unsigned TimerWheel::IndexOf(uint64_t deadline_ticks) const {
  // `| 1`: a deadline equal to the cursor has no differing digit and belongs to level 0.
  const Digit& digit = kDigitOfBit[63 - std::countl_zero((deadline_ticks ^ cursor_) | 1)];
  return digit.first_slot + (static_cast<unsigned>(deadline_ticks >> digit.shift) & digit.mask);
}

inline unsigned TimerWheel::FirstIndex() const {
  const auto word = static_cast<unsigned>(std::countr_zero(occupied_words_));
  return word * kWordBits + static_cast<unsigned>(std::countr_zero(occupied_slots_[word]));
}

// To the back, since equal deadlines stay in order; one that precedes all others to the front.
inline void TimerWheel::Link(TimerNode& node) {
  const unsigned index = IndexOf(node.deadline_ticks_);
  Slot& slot = slots_[index];
  if (node.deadline_ticks_ < slot.earliest) {
    slot.earliest = node.deadline_ticks_;
    Insert(slot, node, *slot.next);
    MarkOccupied(index);
  } else {
    TimerLink& last = *slot.prev;
    Insert(last, node, slot);
    if (&last == &slot) MarkOccupied(index);  // The first one, at kNever.
  }
}

inline void TimerWheel::Unlink(TimerNode& node) {
  TimerLink* const prev = node.prev;
  TimerLink* const next = node.next;
  node.next = nullptr;
  prev->next = next;
  next->prev = prev;
  --size_;
  if (prev == next) MarkEmpty(static_cast<Slot&>(*next));
}

inline void TimerWheel::MarkOccupied(unsigned index) {
  occupied_words_ |= uint64_t{1} << (index / kWordBits);
  occupied_slots_[index / kWordBits] |= uint64_t{1} << (index % kWordBits);
}

void TimerWheel::MarkEmpty(Slot& slot) {
  slot.earliest = kNever;
  const auto index = static_cast<unsigned>(&slot - slots_.data());
  const unsigned word = index / kWordBits;
  occupied_slots_[word] &= ~(uint64_t{1} << (index % kWordBits));
  if (occupied_slots_[word] == 0) occupied_words_ &= ~(uint64_t{1} << word);
}

// Empties a slot that the cursor has reached into lower levels, in the order of its list. A list
// that is not in the cache costs a miss for each timer, one after the other; so a second walk, from
// the back, fetches what the first will need, and both miss at once. Past the middle it reads
// links of timers that have moved already, which does no harm.
void TimerWheel::MoveDown(Slot& slot) {
  TimerLink* link = slot.next;
  const TimerLink* ahead = slot.prev;
  slot.prev = slot.next = &slot;
  MarkEmpty(slot);
  while (link != &slot) {
    TimerNode& node = static_cast<TimerNode&>(*link);
    link = link->next;
    if (ahead != link) __builtin_prefetch(ahead = ahead->prev);
    Link(node);
  }
}

// The first of the earliest timers of an occupied slot; null if a scan would be too long.
TimerNode* TimerWheel::FindEarliest(const Slot& slot) {
  TimerNode* earliest = static_cast<TimerNode*>(slot.next);
  if (earliest->deadline_ticks_ == slot.earliest) return earliest;
  size_t scanned = 0;
  for (TimerLink* link = slot.next; link != &slot; link = link->next) {
    if (++scanned > kMaxScan) return nullptr;
    TimerNode* const node = static_cast<TimerNode*>(link);
    if (node->deadline_ticks_ < earliest->deadline_ticks_) earliest = node;
  }
  return earliest;
}

void TimerWheel::PutEarliestFirst(Slot& slot) {
  TimerNode* const earliest = FindEarliest(slot);
  if (earliest == nullptr) return;
  slot.earliest = earliest->deadline_ticks_;
  if (earliest == slot.next) return;
  earliest->prev->next = earliest->next;
  earliest->next->prev = earliest->prev;
  Insert(slot, *earliest, *slot.next);
}

}  // namespace foxtive::internal
