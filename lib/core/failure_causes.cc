// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/failure_causes.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace foxtive::internal {
namespace {

constexpr size_t kAddressDigits = 8;

// What a character is in a word; 0: it is in none.
enum Kind : uint8_t { kNone = 0, kDigit = 1, kHexLetter = 2, kLetter = 4 };

constexpr std::array<uint8_t, 256> kKinds = [] {
  std::array<uint8_t, 256> kinds{};
  for (int c = '0'; c <= '9'; ++c) kinds[static_cast<size_t>(c)] = kDigit;
  for (int c = 'a'; c <= 'z'; ++c) kinds[static_cast<size_t>(c)] = c <= 'f' ? kHexLetter : kLetter;
  for (int c = 'A'; c <= 'Z'; ++c) kinds[static_cast<size_t>(c)] = c <= 'F' ? kHexLetter : kLetter;
  return kinds;
}();

uint8_t KindOf(char c) { return kKinds[static_cast<unsigned char>(c)]; }

// `kinds`: of all its characters, together.
bool IsAddress(std::string_view word, uint8_t kinds) {
  if (word.size() >= kAddressDigits && (kinds & (kLetter | kDigit)) == kDigit) return true;
  const bool prefixed = word.size() > 2 && word[0] == '0' && (word[1] | 0x20) == 'x';
  return prefixed && std::all_of(word.begin() + 2, word.end(),
                                 [](char c) { return (KindOf(c) & kLetter) == 0; });
}

// Puts the masked text into `sink`, which can be set back to where a word began.
template <typename Sink>
void Mask(std::string_view text, Sink& sink) {
  size_t i = 0;
  while (i < text.size()) {
    const size_t begin = i;
    const auto before = sink.Place();
    uint8_t kinds = 0;
    uint8_t last = kNone;
    for (; i < text.size(); ++i) {
      const uint8_t kind = KindOf(text[i]);
      if (kind == kNone) break;
      if (kind != kDigit) {
        sink.Put(text[i]);
      } else if (last != kDigit) {
        sink.Put('#');
      }
      kinds |= kind;
      last = kind;
    }
    if (i == begin) {
      sink.Put(text[i++]);
    } else if ((kinds & kDigit) != 0 && IsAddress(text.substr(begin, i - begin), kinds)) {
      sink.SetBack(before);
      sink.Put('#');
    }
  }
}

struct TextSink {
  std::string text;
  size_t Place() const { return text.size(); }
  void SetBack(size_t place) { text.resize(place); }
  void Put(char c) { text.push_back(c); }
};

struct HashSink {
  static constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t hash = 0xcbf29ce484222325;
  uint64_t Place() const { return hash; }
  void SetBack(uint64_t place) { hash = place; }
  void Put(char c) { hash = (hash ^ static_cast<uint8_t>(c)) * kPrime; }
};

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace

std::string MaskedMessage(const absl::Status& status) {
  TextSink sink;
  sink.text.reserve(status.message().size());
  Mask(MessageOf(status), sink);
  return std::move(sink.text);
}

uint64_t FingerprintOf(const absl::Status& status) {
  HashSink sink;
  sink.hash = (sink.hash ^ static_cast<uint64_t>(status.raw_code())) * HashSink::kPrime;
  Mask(MessageOf(status), sink);
  return sink.hash;
}

FailureCauses::Cause* FailureCauses::Find(uint64_t fingerprint) {
  for (size_t i = 0; i < size_; ++i) {
    if (causes_[i].fingerprint == fingerprint) return &causes_[i];
  }
  return nullptr;
}

// Of those, the one that came last the longest ago.
FailureCauses::Cause& FailureCauses::Rarest() {
  return *std::min_element(causes_.begin(), causes_.end(), [](const Cause& a, const Cause& b) {
    return a.count != b.count ? a.count < b.count : a.last_nanos < b.last_nanos;
  });
}

absl::Status FailureCauses::Count(const absl::Status& failure, int64_t nanos) {
  absl::Status replaced;
  const uint64_t fingerprint = FingerprintOf(failure);
  Cause* cause = Find(fingerprint);
  if (cause == nullptr) {
    cause = size_ < kCauses ? &causes_[size_++] : &Rarest();
    others_ += cause->count;
    replaced = std::exchange(cause->first, failure);
    cause->fingerprint = fingerprint;
    cause->count = 0;
    cause->first_nanos = nanos;
  }
  last_ = static_cast<size_t>(cause - causes_.data());
  CountAgain(nanos);
  return replaced;
}

}  // namespace foxtive::internal
