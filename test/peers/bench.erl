%% bench: Erlang/OTP as a peer: the work of `rusm bench` between Erlang nodes, with OTP's defaults.
%% test/peers/erlang starts the nodes, over TCP or TLS. Workers run worker/0; the hub runs hub/0 with
%% PEER BENCH SECONDS WORKERS SENDERS WINDOW PAYLOAD as plain arguments and prints one line of JSON.
-module(bench).
-export([worker/0, hub/0]).

-define(PROBES_ROW, 500).
-define(WARMUP, 2000).   % round trips before each row that are not counted, as in cmd/bench.h
-define(ROWS, 4).
-define(GRACE_MS, 5000). % for what is in flight when the time is over
-define(SUB, 64).        % a histogram's buckets a power of two, as in cmd/bench/histogram.c

-record(run, {mode, window, payload, 'end', rtt}).

%% ---- a worker ----------------------------------------------------------------------------------

worker() ->
    register(bounce, spawn(fun() -> bounce('hub@127.0.0.1') end)),
    register(echo, spawn(fun echo/0)).

%% To the process that the message names, on the hub.
bounce(Hub) ->
    receive <<_:64, Name/binary>> = M -> {binary_to_atom(Name), Hub} ! M end,
    bounce(Hub).

echo() ->
    receive {From, Payload} -> From ! Payload end,
    echo().

%% ---- the hub -----------------------------------------------------------------------------------

hub() ->
    try measure(init:get_plain_arguments()) of
        0 -> halt(0);
        _ -> halt(1)
    catch
        _:Why:Where -> io:format(standard_error, "erlang: ~p~n~p~n", [Why, Where]), halt(1)
    end.

measure([Peer, Bench | Numbers]) ->
    [Seconds, Workers, Senders, Window, Payload] = [list_to_integer(N) || N <- Numbers],
    Nodes = [list_to_atom("worker" ++ integer_to_list(I) ++ "@127.0.0.1")
             || I <- lists:seq(0, Workers - 1)],
    [connect(N, 100) || N <- Nodes],
    timer:sleep(500), % the workers connect to each other too
    Run = #run{window = Window, payload = <<0:(8 * Payload)>>, rtt = histogram()},
    io:format("{\"peer\":\"~s\",\"bench\":\"~s\",\"seconds\":~b,\"workers\":~b,\"senders\":~b,"
              "\"payload\":~b,", [Peer, Bench, Seconds, Workers, Senders,
                                  case Bench of "closed" -> Payload; _ -> 17 end]),
    case Bench of
        "fanout" -> fanout(Run, Nodes, Seconds, Senders);
        "closed" -> closed(Run, Nodes, Seconds, Senders)
    end.

connect(Node, 0) -> error({no_connection, Node});
connect(Node, Tries) ->
    case net_kernel:connect_node(Node) andalso rpc:call(Node, erlang, whereis, [bounce]) of
        Pid when is_pid(Pid) -> ok;
        _ -> timer:sleep(100), connect(Node, Tries - 1)
    end.

fanout(Run, Nodes, Seconds, Senders) ->
    Rows = lists:sublist(lists:append(lists:duplicate(?ROWS, Nodes)), ?ROWS),
    Lost0 = lists:sum([begin
                           {Sent, Received, _} = phase(Run#run{mode = unloaded}, [N], 0, 1),
                           Sent - Received
                       end || N <- Rows]),
    Unloaded = Run#run.rtt,
    io:format("\"rtt_us\":{\"p50\":~.3f,\"p99\":~.3f,\"samples\":~b},",
              [us(Unloaded, 0.5), us(Unloaded, 0.99), samples(Unloaded)]),
    Loaded = Run#run{mode = ordered, rtt = histogram()},
    Pids = [os:getpid() | [rpc:call(N, os, getpid, []) || N <- Nodes]],
    Cpu = cpu_us(Pids),
    {Sent, Received, Ns} = phase(Loaded, Nodes, Seconds, Senders),
    Each = (cpu_us(Pids) - Cpu) / max(1, Received),
    Rate = Received * 1.0e9 / Ns,
    io:format("\"saturation\":[{\"mode\":\"ordered\",\"round_trips\":~b,"
              "\"round_trips_per_s\":~.1f,\"messages_per_s\":~.1f,\"lost\":~b,"
              "\"cpu_us_per_round_trip\":~.3f,\"rtt_us\":{\"p50\":~.3f,\"p99\":~.3f}}],"
              "\"hub_peak_rss_kib\":~b}~n",
              [Received, Rate, 2 * Rate, Sent - Received, Each, us(Loaded#run.rtt, 0.5),
               us(Loaded#run.rtt, 0.99), peak_kib()]),
    Sent - Received + Lost0.

closed(Run, Nodes, Seconds, Senders) ->
    {Sent, Received, Ns} = phase(Run#run{mode = closed, window = 1}, Nodes, Seconds, Senders),
    Rtt = Run#run.rtt,
    io:format("\"round_trips\":~b,\"round_trips_per_s\":~.1f,\"rtt_us\":{\"p50\":~.3f,"
              "\"p99\":~.3f,\"samples\":~b},\"lost\":~b}~n",
              [Received, Received * 1.0e9 / Ns, us(Rtt, 0.5), us(Rtt, 0.99), samples(Rtt),
               Sent - Received]),
    Sent - Received.

%% {Sent, Received, Nanoseconds until the last reply}.
phase(Run0, Nodes, Seconds, Senders) ->
    Start = now_ns(),
    Run = Run0#run{'end' = Start + Seconds * 1000000000},
    Started = [spawn_monitor(fun() -> sender(Run, I, lists:nth(I rem length(Nodes) + 1, Nodes)) end)
               || I <- lists:seq(0, Senders - 1)],
    Ends = [receive {'DOWN', Ref, process, _, {done, End}} -> End;
                    {'DOWN', Ref, process, _, Why} -> error(Why)
            end || {_, Ref} <- Started],
    {Sent, Received, Last} = lists:unzip3(Ends),
    {lists:sum(Sent), lists:sum(Received), max(1, lists:max(Last) - Start)}.

%% ---- a sender ----------------------------------------------------------------------------------

sender(Run, I, Node) ->
    Name = iolist_to_binary(io_lib:format("s~8..0b", [I])),
    register(binary_to_atom(Name), self()),
    exit({done, case Run#run.mode of
                    unloaded -> probe(Run, Name, {bounce, Node}, ?WARMUP + ?PROBES_ROW);
                    ordered -> fill(Run, Name, {bounce, Node}, 0, 0, 0);
                    closed -> ask(Run, {echo, Node}, 0)
                end}).

probe(_, _, _, 0) -> {?WARMUP + ?PROBES_ROW, ?WARMUP + ?PROBES_ROW, now_ns()};
probe(Run, Name, To, Left) ->
    To ! <<(now_ns()):64, Name/binary>>,
    receive
        <<Then:64/signed, _/binary>> ->
            Left > ?PROBES_ROW orelse add(Run#run.rtt, now_ns() - Then),
            probe(Run, Name, To, Left - 1)
    after ?GRACE_MS ->
        Sent = ?WARMUP + ?PROBES_ROW - Left + 1,
        {Sent, Sent - 1, now_ns()}
    end.

%% Fills the window while the time lasts, then takes a reply.
fill(Run, Name, To, Sent, Received, Last) ->
    Now = now_ns(),
    if
        Now < Run#run.'end', Sent - Received < Run#run.window ->
            To ! <<Now:64, Name/binary>>,
            fill(Run, Name, To, Sent + 1, Received, Last);
        Sent =:= Received -> {Sent, Received, Last};
        true ->
            receive
                <<Then:64/signed, _/binary>> ->
                    Back = now_ns(),
                    add(Run#run.rtt, Back - Then),
                    fill(Run, Name, To, Sent, Received + 1, Back)
            after ?GRACE_MS -> {Sent, Received, Last}
            end
    end.

ask(Run, To, N) ->
    Then = now_ns(),
    if
        Then >= Run#run.'end' -> {N, N, Then};
        true ->
            To ! {self(), Run#run.payload},
            receive
                Reply when is_binary(Reply) -> add(Run#run.rtt, now_ns() - Then), ask(Run, To, N + 1)
            after ?GRACE_MS -> {N + 1, N, Then}
            end
    end.

%% ---- times, CPU, memory ------------------------------------------------------------------------

now_ns() -> erlang:monotonic_time(nanosecond).

histogram() -> counters:new(64 * ?SUB, [write_concurrency]).

add(H, Ns) -> counters:add(H, bucket(Ns, 0) + 1, 1).

bucket(Ns, _) when Ns < ?SUB -> Ns;
bucket(Ns, Shift) when Ns bsr Shift < 2 * ?SUB -> (Shift + 1) * ?SUB + (Ns bsr Shift) - ?SUB;
bucket(Ns, Shift) -> bucket(Ns, Shift + 1).

samples(H) -> lists:sum([counters:get(H, I) || I <- lists:seq(1, 64 * ?SUB)]).

%% The time in microseconds below which that share lies, the middle of its bucket.
us(H, Share) -> us(H, trunc(Share * samples(H)), 0, 0).

us(_, _, B, _) when B =:= 64 * ?SUB -> 0.0;
us(H, Rank, B, Seen0) ->
    case Seen0 + counters:get(H, B + 1) of
        Seen when Seen =< Rank -> us(H, Rank, B + 1, Seen);
        _ when B < ?SUB -> B / 1000;
        _ ->
            Shift = B div ?SUB - 1,
            (((B rem ?SUB + ?SUB) bsl Shift) + (1 bsl Shift) / 2) / 1000
    end.

%% Of these system processes, in ticks of 10 ms: fields 14 and 15 of their stat, user and system.
cpu_us(Pids) ->
    lists:sum([begin
                   {ok, Stat} = file:read_file("/proc/" ++ Pid ++ "/stat"),
                   [_, Rest] = string:split(Stat, ") ", trailing),
                   Field = string:lexemes(Rest, " "),
                   10000 * lists:sum([binary_to_integer(lists:nth(I, Field)) || I <- [12, 13]])
               end || Pid <- Pids]).

peak_kib() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmHWM:\\s+(\\d+)", [{capture, [1], list}]),
    list_to_integer(Kib).
