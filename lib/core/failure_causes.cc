// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/failure_causes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "lib/core/failure_fold.h"

namespace foxtive::internal {
namespace {

constexpr size_t kAddressDigits = 8;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsHex(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }
bool IsWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

bool IsAddress(std::string_view word) {
  const bool prefixed = word.size() > 2 && (word.starts_with("0x") || word.starts_with("0X"));
  const std::string_view digits = prefixed ? word.substr(2) : word;
  if (!std::all_of(digits.begin(), digits.end(), &IsHex)) return false;
  return prefixed ||
         (digits.size() >= kAddressDigits && std::any_of(digits.begin(), digits.end(), &IsDigit));
}

// Calls `put` with each character of the masked text.
template <typename Put>
void Mask(std::string_view text, Put put) {
  size_t i = 0;
  while (i < text.size()) {
    if (!IsWord(text[i])) {
      put(text[i++]);
      continue;
    }
    const auto end =
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), &IsWord);
    const std::string_view word = text.substr(i, static_cast<size_t>(end - text.begin()) - i);
    i += word.size();
    if (IsAddress(word)) {
      put('#');
      continue;
    }
    for (size_t k = 0; k < word.size(); ++k) {
      if (!IsDigit(word[k])) {
        put(word[k]);
      } else if (k == 0 || !IsDigit(word[k - 1])) {
        put('#');
      }
    }
  }
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace

std::string MaskedMessage(const absl::Status& status) {
  std::string text;
  text.reserve(status.message().size());
  Mask(MessageOf(status), [&text](char c) { text.push_back(c); });
  return text;
}

uint64_t FingerprintOf(const absl::Status& status) {
  constexpr uint64_t kBasis = 0xcbf29ce484222325;
  constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t hash = (kBasis ^ static_cast<uint64_t>(status.raw_code())) * kPrime;
  Mask(MessageOf(status), [&hash](char c) { hash = (hash ^ static_cast<uint8_t>(c)) * kPrime; });
  return hash;
}

// A crash loop often has the same text again and again: that is seen without a fingerprint.
FailureCauses::Cause* FailureCauses::Find(const absl::Status& failure, uint64_t& fingerprint) {
  if (size_ > 0 && AreAlike(causes_[last_].first, failure)) return &causes_[last_];
  fingerprint = FingerprintOf(failure);
  for (size_t i = 0; i < size_; ++i) {
    if (causes_[i].fingerprint == fingerprint) return &causes_[i];
  }
  return nullptr;
}

absl::Status FailureCauses::Count(const absl::Status& failure, int64_t nanos) {
  uint64_t fingerprint = 0;
  absl::Status replaced;
  Cause* cause = Find(failure, fingerprint);
  if (cause == nullptr) {
    cause = size_ < kCauses ? &causes_[size_++]
                            : &*std::min_element(causes_.begin(), causes_.end(),
                                                 [](const Cause& a, const Cause& b) {
                                                   if (a.count != b.count) return a.count < b.count;
                                                   return a.last_nanos < b.last_nanos;
                                                 });
    others_ += cause->count;
    replaced = std::exchange(cause->first, failure);
    cause->fingerprint = fingerprint;
    cause->count = 0;
    cause->first_nanos = nanos;
  }
  ++cause->count;
  cause->last_nanos = nanos;
  last_ = static_cast<size_t>(cause - causes_.data());
  return replaced;
}

}  // namespace foxtive::internal
