"""Servers under one load that none of them makes: 70 % of the most that Netty answers, sent by native/pace.c."""
import json
import statistics

import programs
import work
from programs import Server, Usage
from rounds import LESS, interleaved, started
from sections import CPU, LATENCY, Section, several

REFERENCE, SHARE, TRIES = "Netty", 0.7, 3

ROWS = {"13 bytes, 50 connections, at 70 % of Netty's most": 50, "13 bytes, 500 connections, at 70 % of Netty's most": 500}


def paced(server, connections, rate, seconds):
    usage = Usage(server)
    counted = json.loads(programs.load(programs.native("pace") + [server.port, connections, rate, seconds]))
    return {"offered_per_second": rate, "requests_per_second": counted["requests"] / counted["seconds"],
            **usage.figures(counted["requests"]), "p50_us": counted["p50"], "p99_us": counted["p99"], "p999_us": counted["p999"],
            "max_us": counted["max"], "late_us": counted["late_p99"]}


def most(connections, options):
    """Requests per second that the reference answers when it is sent as many as it can answer."""
    row = work.Row(connections=connections)
    with Server(programs.SERVERS[REFERENCE]) as server:
        work.wrk(server, row, options.warmup)
        return statistics.median(work.under_wrk(server, row, options.seconds)["requests_per_second"] for _ in range(TRIES))


def measure(connections, commands, options):
    rate = int(most(connections, options) * SHARE)
    with started(commands, Server) as servers:
        for server in servers.values():
            work.wrk(server, work.Row(connections=connections), options.warmup)
        return interleaved(servers, options.rounds, lambda server: paced(server, connections, rate, options.seconds))


SECTION = Section(
    option="pace", title="Servers, at the same load", rows=ROWS,
    programs={name: command for name, command in programs.SERVERS.items() if name != work.JDK}, measure=measure,
    columns=(("offered/s", several("offered_per_second")), ("answered/s", several("requests_per_second")), LATENCY,
             ("most µs", several("max_us")), ("sent late, p99 µs", several("late_us")), CPU),
    better={"p99_us": LESS, "cpu_ns": LESS},
    plotted="p99_us", plotted_title="p99 µs")
