// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Runs a fuzz target without a fuzzer, for the gate: on every file of its corpus, and on as many
// inputs again that are random but always the same. Says which input it was when it ends badly.
//
//   timer_wheel_fuzz_test <folder or file...>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/fuzz/input.h"

namespace foxtive::test {
namespace {

constexpr int kRandomInputs = 400;
constexpr size_t kLongest = 300;  // as long as those of a corpus may be

// For the handler, so written down before each input.
std::string& Current() {
  static std::string& current = *new std::string;
  return current;
}

void SayWhich(int signal) {
  const std::string& current = Current();
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, current.data(), current.size());
  raise(signal);
}

void SayWhichWhenItEndsBadly() {
  struct sigaction action = {};
  action.sa_handler = &SayWhich;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTERM}) {
    sigaction(signal, &action, nullptr);
  }
}

void Run(const std::string& name, const std::string& bytes) {
  Current() = absl::StrCat("This was ", name, ", in base64:\n", absl::Base64Escape(bytes), "\n");
  // A copy of its own size, so that a sanitizer sees what is read behind its end.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

void RunFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (file.bad() || !file.is_open()) Broken(absl::StrCat(path.string(), " can't be read"));
  Run(path.string(), bytes);
}

// The files of a folder, in the order of their names, or the file itself.
int RunPath(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  if (files.empty()) Broken(absl::StrCat(path.string(), " has no file in it"));
  for (const std::filesystem::path& file : files) RunFile(file);
  return static_cast<int>(files.size());
}

void RunRandomInputs() {
  std::mt19937_64 random(1);
  for (int i = 0; i < kRandomInputs; ++i) {
    std::string bytes(random() % (kLongest + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    Run(absl::StrCat("random input ", i), bytes);
  }
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s <folder or file...>\n", argv[0]);
    return 2;
  }
  SayWhichWhenItEndsBadly();
  int files = 0;
  for (int i = 1; i < argc; ++i) files += RunPath(argv[i]);
  RunRandomInputs();
  std::printf("%d files and %d random inputs, nothing is broken\n", files, kRandomInputs);
  return 0;
}

}  // namespace
}  // namespace foxtive::test

int main(int argc, char** argv) { return foxtive::test::Main(argc, argv); }
