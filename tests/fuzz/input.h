// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Input: the bytes of a fuzzer, read as decisions. Check: a property that has to hold.
//
// An input that has come to its end says 0 for ever, so a target does something with every input,
// and the loop of a target goes on while there are bytes. That bounds it: an operation takes one
// byte or more.
//
// libFuzzer's FuzzedDataProvider would do the same, but comes with clang only, and the replay in
// the gate is built with any compiler.

#ifndef FOXTIVE_TESTS_FUZZ_INPUT_H_
#define FOXTIVE_TESTS_FUZZ_INPUT_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>

// What libFuzzer calls, and the replay. Aborts with a message if a property is broken.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace foxtive::test {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}

  bool empty() const { return bytes_.empty(); }

  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  bool Bool() { return (Byte() & 1) != 0; }

  // In [0, limit). REQUIRES: 0 < limit <= 65536.
  size_t Below(size_t limit) {
    size_t value = Byte();
    if (limit > 256) value = value << 8 | Byte();
    return value % limit;
  }

  // Every magnitude is equally likely: a byte says how many bits it has, others which.
  uint64_t Number() {
    const int bits = Byte() % 65;
    return bits == 0 ? 0 : uint64_t{1} << (bits - 1) | Bits(bits - 1);
  }

  // Any at all: also infinite, denormal, or not a number.
  double Real() { return std::bit_cast<double>(Bits(64)); }

 private:
  uint64_t Bits(int bits) {
    uint64_t value = 0;
    for (int read = 0; read < bits; read += 8) value = value << 8 | Byte();
    return bits == 64 ? value : value & ((uint64_t{1} << bits) - 1);
  }

  std::span<const uint8_t> bytes_;
};

[[noreturn]] inline void Broken(const std::string& what) {
  std::fprintf(stderr, "broken: %s\n", what.c_str());
  std::abort();
}

inline void Check(bool holds, const char* what) {
  if (!holds) Broken(what);
}

// The same, where saying it costs something.
inline void Check(bool holds, const std::function<std::string()>& what) {
  if (!holds) Broken(what());
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_FUZZ_INPUT_H_
