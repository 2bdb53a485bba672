// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/stack_capture.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "foxtive/clock.h"
#include "lib/shell/mutex.h"
#include "lib/shell/proc_status.h"
#include "lib/shell/real_time.h"
#include "lib/shell/thread_setup.h"
#include "lib/shell/thread_state.h"
#include "lib/shell/user_code_scope.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {
namespace {

// The state of the slot is the number of the last request, times four, plus one of these.
enum Phase : int { kFree, kAsked, kTaken, kDone };
constexpr int kPhases = 4;

struct Slot {
  std::atomic<int> state{kFree};
  std::atomic<pid_t> thread{0};  // which is asked; 0: the signal has not been sent
  Clock::Parker parker;
  // Whose it is: the asker's while it is kFree or kDone, the handler's while it is kTaken.
  const TaskRecord* record = nullptr;
  bool gone_on = false;
  RawStack stack;
};

// One for the process: who asks is a person, or a watchdog. Its turns are guarded by the mutex.
Slot g_slot;
ABSL_CONST_INIT Mutex g_mutex;
bool g_in_use ABSL_GUARDED_BY(g_mutex) = false;
int g_requests ABSL_GUARDED_BY(g_mutex) = 0;
WaiterList g_waiters;

uintptr_t InstructionOf(const ucontext_t& interrupted) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(interrupted.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<uintptr_t>(interrupted.uc_mcontext.pc);
#else
  return 0;
#endif
}

struct Walk {
  uintptr_t from;  // the frames before it are the handler's; 0: not known
  RawStack& stack;
};

_Unwind_Reason_Code OnFrame(_Unwind_Context* frame, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  RawStack& stack = walk.stack;
  int before_instruction = 0;
  const uintptr_t address = _Unwind_GetIPInfo(frame, &before_instruction);
  if (address == 0) return _URC_END_OF_STACK;
  if (walk.from != 0 && address != walk.from) return _URC_NO_REASON;
  walk.from = 0;
  if (stack.size == RawStack::kMaxFrames) {
    stack.cut = true;
    return _URC_END_OF_STACK;
  }
  stack.addresses[stack.size++] = before_instruction != 0 ? address : address - 1;
  return _URC_NO_REASON;
}

_Unwind_Reason_Code OnNoFrame(_Unwind_Context* /*frame*/, void* /*argument*/) {
  return _URC_NO_REASON;
}

// A signal that comes late may belong to a request before this one; the system may even have merged
// the two. So it matters only what is asked now, and of which thread.
void Answer(const ucontext_t& interrupted) {
  int asked = g_slot.state;
  const int ticket = asked - kAsked;
  if (ticket % kPhases != 0 || g_slot.thread != ThisThreadId()) return;
  if (!g_slot.state.compare_exchange_strong(asked, ticket + kTaken)) return;
  g_slot.gone_on = !UserCodeScope::InsideOf(*g_slot.record);
  if (!g_slot.gone_on) {
    Walk walk{InstructionOf(interrupted), g_slot.stack};
    _Unwind_Backtrace(&OnFrame, &walk);
  }
  g_slot.state = ticket + kDone;
  RealClock().Unpark(g_slot.parker);
}

void Handle(int /*signal*/, siginfo_t* info, void* context) {
  if (info->si_code != SI_QUEUE) return;
  const int saved_errno = errno;
  Answer(*static_cast<const ucontext_t*>(context));
  errno = saved_errno;
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &Handle;
}

bool IsFree(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 &&
         (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
}

absl::Status CheckMayBeHandled(int signal) {
  struct sigaction current;
  for (const int fault : kFaultSignals) {
    if (signal == fault) {
      return absl::InvalidArgumentError(
          absl::StrCat("stack_signal: ", signal, " is raised by faults"));
    }
  }
  if (signal == SIGKILL || signal == SIGSTOP || sigaction(signal, nullptr, &current) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("stack_signal: ", signal, " is no signal that can be handled"));
  }
  if (IsFree(current) || IsOurs(current)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("stack_signal: ", signal, " has a handler of the program's"));
}

// For its turn. False: the deadline has come.
bool TakeSlot(const TaskRecord& record, int64_t deadline, int& ticket) {
  MutexLock lock(g_mutex);
  const bool free = g_waiters.Await(g_mutex, RealClock(), deadline, [] {
    g_mutex.AssertHeld();
    return !g_in_use;
  });
  if (!free) return false;
  g_in_use = true;
  g_requests = (g_requests + 1) % (INT32_MAX / kPhases);
  ticket = g_requests * kPhases;
  g_slot.record = &record;
  g_slot.thread = 0;
  g_slot.stack.size = 0;
  g_slot.stack.cut = false;
  g_slot.state = ticket + kAsked;
  return true;
}

void GiveSlotBack(int ticket) {
  g_slot.state = ticket + kFree;
  {
    MutexLock lock(g_mutex);
    g_in_use = false;
  }
  g_waiters.WakeAll(g_mutex, RealClock());
}

// False: the deadline has come, and no handler has taken the request, nor will.
bool AwaitAnswer(int ticket, int64_t deadline) {
  while (g_slot.state != ticket + kDone) {
    const bool may_park = deadline == Clock::kNever || RealClock().NowNanos() < deadline;
    int asked = ticket + kAsked;
    if (!may_park && g_slot.state.compare_exchange_strong(asked, ticket + kFree)) return false;
    RealClock().Park(g_slot.parker, may_park ? deadline : Clock::kNever);
  }
  return true;
}

absl::Status WhyNoAnswer(pid_t thread, int signal) {
  const ProcStatus status = ReadThreadStatus(absl::StrCat(thread));
  std::string why = absl::StrCat("its thread is in state ", status.state);
  if (status.dead || status.state.empty()) {
    why = "its thread is gone";
  } else if (status.Blocks(signal)) {
    why = absl::StrCat("its thread blocks signal ", signal, ", which the stack is asked for by");
  } else if (status.state[0] == 'D') {
    why = absl::StrCat("its thread is in a wait of the kernel that no signal ends, ",
                       ReadWaitChannel(absl::StrCat(thread)));
  }
  return absl::UnavailableError(absl::StrCat("no answer: ", why));
}

}  // namespace

absl::Status InstallStackSignal(int signal) {
  MutexLock lock(g_mutex);
  const int chosen = SignalLetThrough();
  if (chosen == signal) return absl::OkStatus();
  if (absl::Status status = CheckMayBeHandled(signal); !status.ok()) return status;
  if (chosen != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "stack_signal: ", signal, ", and another Supervisor of this process has ", chosen));
  }
  _Unwind_Backtrace(&OnNoFrame, nullptr);
  struct sigaction action {};
  action.sa_sigaction = &Handle;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
  LetSignalThrough(signal);
  return absl::OkStatus();
}

int StackRequest::SendTo(pid_t thread) const {
  const int saved_errno = errno;
  g_slot.thread = thread;
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  const long failed = syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, SignalLetThrough(), &info);
  const int error = failed != 0 ? errno : 0;
  errno = saved_errno;
  return error;
}

absl::StatusOr<RawStack> CaptureStack(
    const TaskRecord& record,
    absl::FunctionRef<absl::StatusOr<pid_t>(const StackRequest& request)> send,
    int64_t real_deadline_nanos) {
  int ticket = 0;
  if (!TakeSlot(record, real_deadline_nanos, ticket)) {
    return absl::UnavailableError("no answer: other stacks are asked for");
  }
  // Whatever throws for lack of memory, the next one gets its turn.
  const absl::Cleanup give_back = [ticket] { GiveSlotBack(ticket); };
  const absl::StatusOr<pid_t> thread = send(StackRequest());
  // If it could not be sent, one that is late may still have the thread answer.
  const bool answered = AwaitAnswer(ticket, thread.ok() ? real_deadline_nanos : Clock::kPast);
  if (!thread.ok()) return thread.status();
  if (!answered) return WhyNoAnswer(*thread, SignalLetThrough());
  if (g_slot.gone_on) return absl::AbortedError("the thread has gone on to another task");
  return g_slot.stack;
}

StackTrace Symbolize(const RawStack& stack) {
  StackTrace trace{.cut = stack.cut};
  trace.frames.reserve(stack.size);
  for (size_t i = 0; i < stack.size; ++i) {
    StackFrame& frame = trace.frames.emplace_back(StackFrame{.address = stack.addresses[i]});
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what an address is.
    const void* const address = reinterpret_cast<const void*>(frame.address);
    std::array<char, 1024> name;
    if (absl::Symbolize(address, name.data(), static_cast<int>(name.size()))) {
      frame.function = name.data();
    }
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) continue;
    frame.module_file = info.dli_fname;
    frame.offset = frame.address - reinterpret_cast<uintptr_t>(info.dli_fbase);
  }
  return trace;
}

}  // namespace foxtive::internal
