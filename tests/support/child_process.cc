// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace foxtive::test {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

bool ReadAll(int input, std::string& output) {
  using std::chrono::steady_clock;
  const steady_clock::time_point limit = steady_clock::now() + kChildLimit;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(limit - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd readable = {.fd = input, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) continue;
    char buffer[4096];
    const ssize_t size = read(input, buffer, sizeof(buffer));
    if (size == 0) return true;
    if (size > 0) output.append(buffer, static_cast<size_t>(size));
  }
}

namespace {

// The environment without what a test runner says to the parent alone: the shard it runs and the
// file for its report.
std::vector<char*> ChildEnvironment() {
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (absl::StartsWith(*entry, "GTEST_") || absl::StartsWith(*entry, "TEST_") ||
        absl::StartsWith(*entry, "TESTBRIDGE_") || absl::StartsWith(*entry, "XML_OUTPUT_FILE=")) {
      continue;
    }
    environment.push_back(*entry);
  }
  environment.push_back(nullptr);
  return environment;
}

// Starts the child with `output` as its stdout and stderr.
pid_t Spawn(const std::string& name, int output) {
  std::string program = "/proc/self/exe";
  std::string filter = absl::StrCat("--gtest_filter=", name);
  std::string disabled = "--gtest_also_run_disabled_tests";
  std::vector<char*> arguments = {program.data(), filter.data(), disabled.data(), nullptr};
  std::vector<char*> environment = ChildEnvironment();
  posix_spawn_file_actions_t actions;
  Require(posix_spawn_file_actions_init(&actions) == 0, "posix_spawn_file_actions_init");
  Require(posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0, "adddup2");
  Require(posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) == 0, "adddup2");
  pid_t pid = 0;
  errno = posix_spawn(&pid, program.c_str(), &actions, /*attrp=*/nullptr, arguments.data(),
                      environment.data());
  Require(errno == 0, "posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

}  // namespace

ChildResult RunInChild(const std::string& name) {
  int ends[2];
  Require(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  const pid_t pid = Spawn(name, ends[1]);
  close(ends[1]);
  ChildResult result;
  result.timed_out = !ReadAll(ends[0], result.output);
  if (result.timed_out) kill(pid, SIGKILL);
  close(ends[0]);
  Require(waitpid(pid, &result.wait_status, 0) == pid, "waitpid");
  return result;
}

std::ostream& operator<<(std::ostream& out, const ChildResult& result) {
  out << (result.timed_out ? "timed out; " : "");
  if (WIFSIGNALED(result.wait_status)) out << "signal " << WTERMSIG(result.wait_status);
  if (WIFEXITED(result.wait_status)) out << "exit code " << WEXITSTATUS(result.wait_status);
  return out << "; output:\n" << result.output;
}

}  // namespace foxtive::test
