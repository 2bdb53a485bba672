// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/forked_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace foxtive::test {
namespace {

bool in_child = false;

}  // namespace

ForkedChild::ForkedChild() {
  int ends[2];
  Require(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  std::fflush(nullptr);  // or the child prints it as well
  pid_ = fork();
  Require(pid_ >= 0, "fork");
  if (is_here()) {
    in_child = true;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // one that hangs does not outlive the test
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
  } else {
    output_ = ends[0];
  }
  close(ends[1]);
}

ChildResult ForkedChild::Await() const {
  ChildResult result;
  result.timed_out = !ReadAll(output_, result.output);
  if (result.timed_out) kill(pid_, SIGKILL);
  close(output_);
  Require(waitpid(pid_, &result.wait_status, 0) == pid_, "waitpid");
  return result;
}

ChildResult RunForked(const std::function<bool()>& body) {
  const ForkedChild child;
  if (child.is_here()) std::exit(body() ? EXIT_SUCCESS : EXIT_FAILURE);
  return child.Await();
}

void Findings::Expect(bool good, const char* what) {
  if (good) return;
  none_ = false;
  std::fprintf(stderr, "wrong in the child: %s\n", what);
  std::fflush(stderr);
}

}  // namespace foxtive::test

// Asked by the leak checker: what is left in a child belongs to threads that it does not have.
extern "C" int __lsan_is_turned_off() { return foxtive::test::in_child ? 1 : 0; }
