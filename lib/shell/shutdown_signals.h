// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ShutdownSignals: which signals shut which engines down. One handler for all of them, which reads
// a table of fixed size; a handler can lock nothing and wait for nobody.
//
//   signal ─▶ handler, on a thread of the host ─▶ engines in the table ─▶ their monitors
//
// Subscriptions change under a mutex, with all signals blocked in that thread: a handler that
// interrupts a change would see it half done for ever. A handler that is on its way then has seen
// the old table or the new one; Unsubscribe waits until no handler is on its way that may have seen
// its engine. Handlers are a few loads and one wake-up, so that is soon; a thread that was
// interrupted in it finishes the handler first.
//
// The former action of a signal is kept before the handler is installed, and whoever puts it back,
// the handler itself or the last one to unsubscribe, is settled by one exchange.
//
// A child of fork has the handler too, but no monitor: there the signal does what it did before.
//
// Nothing here is ever destroyed: a signal may come while the process exits.

#ifndef FOXTIVE_LIB_SHELL_SHUTDOWN_SIGNALS_H_
#define FOXTIVE_LIB_SHELL_SHUTDOWN_SIGNALS_H_

#include <csignal>

#include "absl/status/status.h"

namespace foxtive::internal {

class Engine;

// How many engines can have signals at once; a handler looks at as many entries.
inline constexpr int kMaxSignalEngines = 32;

// From now on these signals shut the engine down, beside those that did before.
// `kResourceExhausted`: the table is full. REQUIRES: signals that can be handled; the engine lives
// until UnsubscribeSignals.
absl::Status SubscribeSignals(Engine& engine, const sigset_t& signals);

// No signal reaches the engine any more. Not in a child of fork.
void UnsubscribeSignals(Engine& engine);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_SHUTDOWN_SIGNALS_H_
