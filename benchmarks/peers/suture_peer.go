// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the catalogues of ../*.cc measure, with suture (github.com/thejerf/suture/v4), the supervisor
// of the Go world. One case in a process:
//
//	suture_peer <workload> <size>     prints "<workload>/Suture/<size> <counter> <value>"
//
// R1_Error .. R3_Exceptions: a service returns an error, or panics, again and again, then says that
// it is not to be restarted. No failure makes the supervisor pause. The hook that is told of events
// does nothing, and each service has a name, since suture would print its fields otherwise.
//
// R4_Lateness: suture pauses as a whole, so this is a supervisor that pauses for 5 ms at the first
// failure, beside another one whose services wait.
//
// R6_Memory: a service that waits in a select, because suture does not know one that waits for its
// next attempt.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/thejerf/suture/v4"
)

const failuresOfMany = 200

var errRefused = errors.New("connection refused")

func require(condition bool, what string) {
	if !condition {
		fmt.Fprintln(os.Stderr, "the benchmark is broken:", what)
		os.Exit(1)
	}
}

// Fails so many times, then is over.
type failing struct {
	failures int
	panics   bool
	calls    int
	over     *sync.WaitGroup
}

func (f *failing) String() string { return "worker" }

func (f *failing) Serve(context.Context) error {
	f.calls++
	if f.calls > f.failures {
		f.over.Done()
		return suture.ErrDoNotRestart
	}
	if f.panics {
		panic("connection refused")
	}
	return errRefused
}

func started(spec suture.Spec) (*suture.Supervisor, context.CancelFunc, <-chan error) {
	spec.EventHook = func(suture.Event) {}
	supervisor := suture.New("peer", spec)
	ctx, cancel := context.WithCancel(context.Background())
	return supervisor, cancel, supervisor.ServeBackground(ctx)
}

func neverPausing() suture.Spec { return suture.Spec{FailureThreshold: 1e18} }

func restart(workers, failures int, panics bool) float64 {
	supervisor, cancel, ended := started(neverPausing())
	var over sync.WaitGroup
	over.Add(workers)
	all := make([]*failing, workers)
	start := time.Now()
	for i := range all {
		all[i] = &failing{failures: failures, panics: panics, over: &over}
		supervisor.Add(all[i])
	}
	over.Wait()
	taken := time.Since(start)
	for _, worker := range all {
		require(worker.calls == failures+1, "a call is missing")
	}
	cancel()
	<-ended
	return float64(taken.Nanoseconds()) / float64(workers*failures)
}

type noJitter struct{}

func (noJitter) Jitter(delay time.Duration) time.Duration { return delay }

type punctual struct {
	failures int
	ended    time.Time
	lateUs   []float64
	over     chan struct{}
}

const delay = 5 * time.Millisecond

func (p *punctual) String() string { return "worker" }

func (p *punctual) Serve(context.Context) error {
	now := time.Now()
	if !p.ended.IsZero() {
		p.lateUs = append(p.lateUs, float64((now.Sub(p.ended)-delay).Nanoseconds())/1e3)
	}
	if len(p.lateUs) == p.failures {
		close(p.over)
		return suture.ErrDoNotRestart
	}
	p.ended = time.Now()
	return errRefused
}

// Blocks until it is told to stop.
type blocked struct {
	begun *sync.WaitGroup
	ended *int64
	waits bool
}

func (b *blocked) String() string { return "worker" }

func (b *blocked) Serve(ctx context.Context) error {
	var due <-chan time.Time
	if b.waits {
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		due = timer.C
	}
	b.begun.Done()
	select {
	case <-ctx.Done():
	case <-due:
	}
	atomic.AddInt64(b.ended, 1)
	return ctx.Err()
}

func addBlocked(supervisor *suture.Supervisor, count int, waits bool, ended *int64) {
	var begun sync.WaitGroup
	begun.Add(count)
	for i := 0; i < count; i++ {
		supervisor.Add(&blocked{&begun, ended, waits})
	}
	begun.Wait()
}

func lateness(others int) (p50, p99 float64) {
	var ended int64
	rest, _, _ := started(neverPausing())
	addBlocked(rest, others, true, &ended)
	supervisor, _, _ := started(suture.Spec{
		FailureThreshold: 0.5, FailureBackoff: delay, BackoffJitter: noJitter{}})
	worker := &punctual{failures: 200, over: make(chan struct{})}
	supervisor.Add(worker)
	<-worker.over
	late := worker.lateUs
	sort.Float64s(late)
	require(late[0] >= 0, "a restart was early")
	return late[len(late)/2], late[len(late)*99/100]
}

// Gives its result once.
type oneShot struct {
	number int
	result chan int
}

func (o *oneShot) String() string { return "worker" }

func (o *oneShot) Serve(context.Context) error {
	o.result <- o.number
	return suture.ErrDoNotRestart
}

func oneShots(tasks int) float64 {
	supervisor, _, _ := started(neverPausing())
	start := time.Now()
	results := make([]chan int, tasks)
	for i := range results {
		results[i] = make(chan int, 1)
		supervisor.Add(&oneShot{i, results[i]})
	}
	for i, result := range results {
		require(<-result == i, "a result is another's")
	}
	return float64(time.Since(start).Nanoseconds()) / float64(tasks)
}

func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	require(err == nil, "no /proc/self/statm")
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require(err == nil, "an odd /proc/self/statm")
	return float64(pages * os.Getpagesize())
}

func memory(tasks int) float64 {
	var ended int64
	supervisor, _, _ := started(neverPausing())
	before := residentBytes()
	addBlocked(supervisor, tasks, true, &ended)
	return (residentBytes() - before) / float64(tasks)
}

func shutdown(workers int) float64 {
	var count int64
	supervisor, cancel, ended := started(neverPausing())
	addBlocked(supervisor, workers, false, &count)
	start := time.Now()
	cancel()
	<-ended
	taken := time.Since(start)
	require(atomic.LoadInt64(&count) == int64(workers), "a worker is left")
	return float64(taken.Nanoseconds()) / 1e3
}

func main() {
	require(len(os.Args) == 3, "suture_peer <workload> <size>")
	workload := os.Args[1]
	size, err := strconv.Atoi(os.Args[2])
	require(err == nil, "the size is no number")
	tell := func(counter string, value float64) {
		fmt.Printf("%s/Suture/%d %s %g\n", workload, size, counter, value)
	}
	switch workload {
	case "R1_Error":
		tell("ns_per_restart", restart(1, size, false))
	case "R2_Exception":
		tell("ns_per_restart", restart(1, size, true))
	case "R3_Errors":
		tell("ns_per_restart", restart(size, failuresOfMany, false))
	case "R3_Exceptions":
		tell("ns_per_restart", restart(size, failuresOfMany, true))
	case "R4_Lateness":
		p50, p99 := lateness(size)
		tell("late_us_p50", p50)
		tell("late_us_p99", p99)
	case "R5_OneShot":
		tell("ns_per_task", oneShots(size))
	case "R6_Memory":
		tell("bytes_per_task", memory(size))
	case "R8_Shutdown":
		tell("us_per_shutdown", shutdown(size))
	default:
		require(false, "there is no workload "+workload)
	}
}
