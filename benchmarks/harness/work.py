"""Servers under wrk, which sends as fast as it gets replies."""
import contextlib
import dataclasses
import json
import pathlib
import sys

import programs
from programs import EPOLL, FILE_SIZE, LOAD_CORE, Failure, Program, Server, Usage
from rounds import LESS, MORE, interleaved, started
from sections import ALLOCATED, CPU, LATENCY, RESIDENT, Section, several, spread

JDK = "JDK httpserver"


@dataclasses.dataclass(frozen=True)
class Row:
    path: str = "/"
    connections: int = 50
    environment: dict = dataclasses.field(default_factory=dict)
    """For wrk.lua."""
    idle: int = 0
    """Connections beside those."""
    reply_size: int = 0
    """Of replies that take so long that their bytes are counted instead: so many are one request."""
    without: tuple = ()
    """Servers that cannot do it."""


ROWS = {
    "13 bytes, 1 connection": Row(connections=1),
    "13 bytes, 50 connections": Row(),
    "13 bytes, 500 connections": Row(connections=500),
    "13 bytes, 5000 connections": Row(connections=5000, without=(JDK,)),
    "30 request headers": Row(environment={"HEADERS": "30"}),
    "30 request headers, one read": Row("/header", environment={"HEADERS": "30"}, without=(EPOLL,)),
    "connection per request": Row(environment={"CLOSE": "1"}),
    "pipelined 16 deep": Row(environment={"PIPELINE": "16"}),
    "1 KiB echoed": Row("/echo", environment={"METHOD": "POST", "BODY": "1024"}, without=(EPOLL,)),
    "64 KiB echoed": Row("/echo", environment={"METHOD": "POST", "BODY": "65536"}, without=(EPOLL,)),
    "1 MiB": Row("/mib", without=(EPOLL,)),
    "1 GiB file": Row("/file", connections=4, reply_size=FILE_SIZE, without=(EPOLL,)),
    "16 chunks of 1 KiB": Row("/stream", without=(EPOLL,)),
    "10000 idle beside 50 connections": Row(idle=10000, without=(JDK,)),
}


def wrk(server, row, seconds):
    """One run of wrk, and what it counted."""
    return json.loads(programs.load(["wrk", "-t1", f"-c{row.connections}", f"-d{seconds}s", "--timeout", "30s", "-s", "wrk.lua",
                                     f"http://127.0.0.1:{server.port}{row.path}"], row.environment))


def under_wrk(server, row, seconds):
    """The same with what the kernel counted, as figures."""
    usage = Usage(server)
    counted = wrk(server, row, seconds)
    requests = counted["bytes"] / row.reply_size if row.reply_size else counted["requests"]
    if requests == 0:
        raise Failure(f"{server} has answered nothing in {seconds} seconds")
    return {"requests_per_second": requests / (counted["micros"] / 1e6), **usage.figures(requests), "p50_us": counted["p50"],
            "p99_us": counted["p99"], "p999_us": counted["p999"], "errors": counted["errors"]}


def touched(command):
    """With all of a JVM's heap resident from the start, so that what grows is not the heap, whose use is asked for."""
    return [*command[:1], "-Xms512m", "-XX:+AlwaysPreTouch", *command[1:]] if command[0] == "java" else command


@contextlib.contextmanager
def idle(server, count):
    """So many connections that have had one reply and wait. Yields what each costs: native memory, and Java's heap that is in use."""
    before = server.resident() + server.live()
    script = pathlib.Path(__file__).with_name("idle.py")
    with Program([sys.executable, script, server.port, count], LOAD_CORE):
        yield (server.resident() + server.live() - before) / count


def measure(row, commands, options):
    commands = {name: touched(command) if row.idle else command for name, command in commands.items() if name not in row.without}
    with started(commands, Server) as servers, contextlib.ExitStack() as waiting:
        for server in servers.values():
            wrk(server, row, options.warmup)
        costs = {name: waiting.enter_context(idle(server, row.idle)) for name, server in servers.items()} if row.idle else {}
        rounds = interleaved(servers, options.rounds, lambda server: under_wrk(server, row, options.seconds))
    for name, cost in costs.items():
        for figures in rounds[name]:
            figures["idle_bytes"] = cost
    return rounds


SECTION = Section(
    option="work", title="Servers, as fast as they can", rows=ROWS, programs=programs.SERVERS, measure=measure,
    columns=(("requests/s", spread("requests_per_second")), CPU, LATENCY, RESIDENT, ALLOCATED,
             ("bytes per idle connection", several("idle_bytes")), ("errors", lambda result: f"{result['errors']:.0f}" if result["errors"] else "")),
    better={"cpu_ns": LESS, "requests_per_second": MORE, "p99_us": LESS, "resident_mb": LESS},
    plotted="cpu_ns", plotted_title="CPU ns per request")
