# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
#
# The functions of the library in front of which faults.cc puts itself: calls from other files than
# their own go to `__wrap_` and this name, which calls `__real_` and this name.

WRAPPED = [
    "_ZN7foxtive8internal10EventQueue4EmitENS0_6NoticeE",
    "_ZN7foxtive8internal10TaskRecord10CallOnStopEPFvPvES2_",
    "_ZN7foxtive8internal10TaskRecord10PrepareLogEv",
    "_ZN7foxtive8internal10TaskRecord8TimerDueEv",
    "_ZN7foxtive8internal10TaskRecord9AwaitTurnEl",
    "_ZN7foxtive8internal10TimerWheel6CancelERNS0_9TimerNodeE",
    "_ZN7foxtive8internal10TimerWheel8ScheduleERNS0_9TimerNodeEm",
    "_ZN7foxtive8internal13CountFailuresElNS0_10AttemptEndEb",
    "_ZN7foxtive8internal17AsksShouldRestartERKNS0_12RestartRulesERKNS0_12AttemptFactsE",
    "_ZN7foxtive8internal4NextENS_9TaskStateENS0_9LifeEventE",
    "_ZN7foxtive8internal5Inbox4PostERNS0_10TaskRecordE",
    "_ZN7foxtive8internal5JudgeERKNS0_12RestartRulesERKNS0_12AttemptFactsEbl",
    "_ZN7foxtive8internal9TaskTable10TakeToStopEv",
    "_ZN7foxtive8internal9TaskTable11AfterResultERNS0_10TaskRecordE",
    "_ZN7foxtive8internal9TaskTable11LeaveIfOverEv",
    "_ZN7foxtive8internal9TaskTable11TakeToStartEv",
    "_ZN7foxtive8internal9TaskTable8AwaitAnyElRPNS0_10TaskRecordE",
    "_ZN7foxtive8internal9TaskTable8ReturnedERNS0_10TaskRecordE",
    "_ZN7foxtive8internal9TaskTable9AddLockedESt4spanIKPNS0_10TaskRecordELm18446744073709551615EEb",
    "_ZNK7foxtive15BackoffStrategy5DelayEld",
    "_ZNK7foxtive8internal10TaskRecord7EndWaitEb",
]

# The same for preemption.cc.
PREEMPTED = [
    "_ZN7foxtive8internal5Mutex4LockEv",
    "_ZN7foxtive8internal5Mutex6UnlockEv",
]
