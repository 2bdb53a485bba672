%% Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
%%
%% What the catalogues of ../*.cc measure, with the supervisor of Erlang/OTP. One case in a process:
%%
%%   erl -noshell -run otp_peer main <workload> <size>
%%
%% prints "<workload>/ErlangOtp/<size> <counter> <value>".
%%
%% R1_Error .. R3_Exceptions: a child exits with a reason, or calls erlang:error, again and again,
%% then ends normally and, being transient, is not started again. So many restarts are allowed that
%% the supervisor never gives up. It keeps the time of each restart of the last second and goes
%% through all of them at each restart: the more of them, the slower. Nothing is logged.
%%
%% R4_Lateness: OTP has no delay between restarts, so the child itself waits for 5 ms first.
%%
%% R6_Memory: children that wait in a receive, because OTP does not know one that waits for its next
%% start.
%%
%% All supervisors are simple_one_for_one, as for children that come and go.

-module(otp_peer).
-behaviour(supervisor).
-export([main/1, init/1, start_child/1]).

-define(FAILURES_OF_MANY, 200).
-define(DELAY_US, 5000).

main([Workload, Size]) ->
    logger:set_primary_config(level, none),
    try
        run(Workload, list_to_integer(Size)),
        halt(0)
    catch
        _:Reason ->
            io:format(standard_error, "the benchmark is broken: ~p~n", [Reason]),
            halt(1)
    end.

run("R1_Error" = Workload, Size) ->
    tell(Workload, Size, ns_per_restart, restart(1, Size, exit));
run("R2_Exception" = Workload, Size) ->
    tell(Workload, Size, ns_per_restart, restart(1, Size, error));
run("R3_Errors" = Workload, Size) ->
    tell(Workload, Size, ns_per_restart, restart(Size, ?FAILURES_OF_MANY, exit));
run("R3_Exceptions" = Workload, Size) ->
    tell(Workload, Size, ns_per_restart, restart(Size, ?FAILURES_OF_MANY, error));
run("R4_Lateness" = Workload, Size) ->
    Late = lateness(Size),
    tell(Workload, Size, late_us_p50, lists:nth(length(Late) div 2 + 1, Late)),
    tell(Workload, Size, late_us_p99, lists:nth(length(Late) * 99 div 100 + 1, Late));
run("R5_OneShot" = Workload, Size) ->
    tell(Workload, Size, ns_per_task, one_shots(Size));
run("R6_Memory" = Workload, Size) ->
    tell(Workload, Size, bytes_per_task, memory(Size));
run("R8_Shutdown" = Workload, Size) ->
    tell(Workload, Size, us_per_shutdown, shutdown(Size)).

tell(Workload, Size, Counter, Value) ->
    io:format("~s/ErlangOtp/~b ~s ~w~n", [Workload, Size, Counter, float(Value)]).

%% --- The supervisor. A child is a process that calls the function it is started with.

start_supervisor() ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, []),
    unlink(Supervisor),
    Supervisor.

init([]) ->
    Flags = #{strategy => simple_one_for_one, intensity => 1000000000, period => 1},
    Child = #{id => worker, start => {?MODULE, start_child, []}, restart => transient},
    {ok, {Flags, [Child]}}.

start_child(Function) ->
    {ok, spawn_link(Function)}.

add(Supervisor, Function) ->
    {ok, _} = supervisor:start_child(Supervisor, [Function]).

nanoseconds() ->
    erlang:monotonic_time(nanosecond).

await(_Message, 0) ->
    ok;
await(Message, Count) ->
    receive
        Message -> await(Message, Count - 1)
    end.

%% --- The workloads.

restart(Workers, Failures, Kind) ->
    Main = self(),
    Calls = counters:new(Workers, []),
    Supervisor = start_supervisor(),
    Start = nanoseconds(),
    [add(Supervisor, fun() -> fail(Main, Calls, I, Failures, Kind) end) || I <- lists:seq(1, Workers)],
    await(over, Workers),
    Taken = nanoseconds() - Start,
    [Failures = counters:get(Calls, I) - 1 || I <- lists:seq(1, Workers)],
    Taken / (Workers * Failures).

fail(Main, Calls, I, Failures, Kind) ->
    counters:add(Calls, I, 1),
    case counters:get(Calls, I) > Failures of
        true -> Main ! over;
        false when Kind =:= exit -> exit(connection_refused);
        false -> erlang:error(connection_refused)
    end.

lateness(Others) ->
    Main = self(),
    Rest = start_supervisor(),
    [add(Rest, fun wait/0) || _ <- lists:seq(1, Others)],
    Supervisor = start_supervisor(),
    add(Supervisor, fun() -> be_punctual(Main) end),
    lists:sort([late() || _ <- lists:seq(1, 200)]).

be_punctual(Main) ->
    Start = nanoseconds(),
    timer:sleep(?DELAY_US div 1000),
    Main ! {late, (nanoseconds() - Start) / 1000 - ?DELAY_US},
    exit(connection_refused).

late() ->
    receive
        {late, Microseconds} when Microseconds >= 0 -> Microseconds
    end.

one_shots(Tasks) ->
    Main = self(),
    Supervisor = start_supervisor(),
    Start = nanoseconds(),
    [add(Supervisor, fun() -> Main ! {result, I} end) || I <- lists:seq(1, Tasks)],
    [receive {result, I} -> ok end || I <- lists:seq(1, Tasks)],
    (nanoseconds() - Start) / Tasks.

wait() ->
    receive
        never -> ok
    after 3600000 -> exit(connection_refused)
    end.

memory(Tasks) ->
    Supervisor = start_supervisor(),
    Before = resident_bytes(),
    [add(Supervisor, fun wait/0) || _ <- lists:seq(1, Tasks)],
    (resident_bytes() - Before) / Tasks.

resident_bytes() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(Text, " "),
    binary_to_integer(Pages) * 4096.

shutdown(Workers) ->
    Main = self(),
    Supervisor = start_supervisor(),
    [add(Supervisor, fun() -> Main ! begun, wait() end) || _ <- lists:seq(1, Workers)],
    await(begun, Workers),
    Monitor = monitor(process, Supervisor),
    Start = nanoseconds(),
    exit(Supervisor, shutdown),
    receive
        {'DOWN', Monitor, process, Supervisor, shutdown} -> ok
    end,
    (nanoseconds() - Start) / 1000.
