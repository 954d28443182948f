#!/usr/bin/python3
"""Runs the same work against each program in turn, round by round, and tells how they compare.

A server has one core and the load another. Each round runs every program once, for a few seconds, so that what else goes on on the machine
meets all of them; ratios are taken within a round, and their median is told. CPU time per request says more than requests per
second: it does not swing with the neighbours as much.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE / "target"
SERVER_CORE, LOAD_CORE = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")
OURS = "libevent4j"


def java(name, *options):
    """A server in Java; each gets the same heap."""
    classpath = f"{TARGET}/libevent4j-benchmarks-0.1.0-SNAPSHOT.jar:{TARGET}/lib/*"
    return ["java", "-Xmx512m", *options, "-cp", classpath, f"benchmarks.server.{name}"]


SERVERS = {
    OURS: java("Libevent4j"),
    "evhttp in C, plain": [f"{TARGET}/native/evhttp-plain"],
    "evhttp in C, our build and options": [f"{TARGET}/native/evhttp-tuned"],
    "epoll in C": [f"{TARGET}/native/epoll"],
    "Netty": java("Netty"),
    "Vert.x": java("Vertx"),
    "Undertow": java("Undertow"),
    "JDK httpserver": java("Jdk"),
}

# name: (path, connections, environment of wrk.lua, programs that cannot do it)
WORK = {
    "13 bytes, 1 connection": ("/", 1, {}, ()),
    "13 bytes, 50 connections": ("/", 50, {}, ()),
    "13 bytes, 500 connections": ("/", 500, {}, ()),
    "13 bytes, 5000 connections": ("/", 5000, {}, ()),
    "30 request headers": ("/", 50, {"HEADERS": "30"}, ()),
    "connection per request": ("/", 50, {"CLOSE": "1"}, ()),
    "pipelined 16 deep": ("/", 50, {"PIPELINE": "16"}, ()),
    "1 KiB echoed": ("/echo", 50, {"METHOD": "POST", "BODY": "1024"}, ("epoll in C",)),
    "64 KiB echoed": ("/echo", 50, {"METHOD": "POST", "BODY": "65536"}, ("epoll in C",)),
    "1 MiB": ("/mib", 50, {}, ("epoll in C",)),
    "1 GiB file": ("/file", 4, {}, ("epoll in C",)),
    "16 chunks of 1 KiB": ("/stream", 50, {}, ("epoll in C",)),
    "13 bytes, 50 connections, 10000 idle": ("/", 50, {"IDLE": "10000"}, ()),
}


class Server:
    """A server that runs on its core until this is closed."""

    def __init__(self, command, file):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        started = time.monotonic()
        with open(TARGET / "errors.log", "a") as errors:
            self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *command, str(self.port), str(file)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        if self.process.stdout.readline() != "listening\n":
            raise SystemExit(f"{command} does not listen")
        self.request()
        self.start_seconds = time.monotonic() - started
        self.is_java = command[0] == "java"

    def request(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / TICK, int(fields[12]) / TICK

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def allocated(self):
        """Bytes that all threads of a JVM have ever allocated on its heap."""
        if not self.is_java:
            return 0
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def load(server, work, seconds):
    """One run of wrk: what it and the kernel counted."""
    path, connections, environment, _ = WORK[work]
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", "wrk.lua",
               f"http://127.0.0.1:{server.port}{path}"]
    allocated = server.allocated()
    user, system = server.cpu_seconds()
    run = subprocess.run(command, cwd=HERE, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    ended = server.cpu_seconds()
    counted = json.loads(run.stdout.splitlines()[-1])
    requests = max(1, counted["requests"])
    return {
        "requests_per_second": requests / (counted["micros"] / 1e6),
        "user_ns": (ended[0] - user) / requests * 1e9,
        "system_ns": (ended[1] - system) / requests * 1e9,
        "cpu_ns": (sum(ended) - user - system) / requests * 1e9,
        "p50_us": counted["p50"], "p99_us": counted["p99"], "p999_us": counted["p999"],
        "resident_mb": server.resident() / 1e6,
        "allocated_bytes": (server.allocated() - allocated) / requests,
        "errors": counted["errors"],
    }


@contextlib.contextmanager
def idle(servers, count):
    """So many connections to each server that have had one reply and wait."""
    open_connections = []
    for server in servers:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(4096)
            open_connections.append(connection)
    try:
        yield
    finally:
        for connection in open_connections:
            connection.close()


def measure(work, names, options):
    """Every program's rounds of one work."""
    servers = {name: Server(SERVERS[name], options.file) for name in names if name not in WORK[work][3]}
    rounds = {name: [] for name in servers}
    before = {name: server.resident() for name, server in servers.items()}
    count = int(WORK[work][2].get("IDLE", "0"))
    try:
        with idle(servers.values(), count):
            per_idle = {name: (server.resident() - before[name]) / count for name, server in servers.items()} if count else {}
            for server in servers.values():
                load(server, work, options.warmup)
            for _ in range(options.rounds):
                for name, server in servers.items():
                    rounds[name].append(load(server, work, options.seconds))
    finally:
        for server in servers.values():
            server.close()
    return {name: summary(rounds[name], rounds.get(OURS), per_idle.get(name)) for name in servers}


def median(rounds, figure):
    return statistics.median(round[figure] for round in rounds)


def summary(rounds, ours, per_idle):
    result = {figure: median(rounds, figure) for figure in rounds[0]}
    speeds = [round["requests_per_second"] for round in rounds]
    result["requests_per_second_min"], result["requests_per_second_max"] = min(speeds), max(speeds)
    if per_idle is not None:
        result["bytes_per_idle_connection"] = per_idle
    if ours is not None:
        # How much more this library does than the program: by CPU time, and by requests.
        for figure, pairs in (("cpu", [theirs["cpu_ns"] / mine["cpu_ns"] for theirs, mine in zip(rounds, ours)]),
                              ("requests", [mine["requests_per_second"] / theirs["requests_per_second"] for theirs, mine in zip(rounds, ours)])):
            result[f"{figure}_ratio"] = statistics.median(pairs)
            result[f"{figure}_ratio_is_noise"] = len(pairs) < 2 or min(pairs) <= 1 <= max(pairs)
    return result


COLUMNS = (
    ("requests/s (min, max)", lambda r: f"{r['requests_per_second']:,.0f} ({r['requests_per_second_min']:,.0f}, {r['requests_per_second_max']:,.0f})"),
    ("CPU ns/request (user, system)", lambda r: f"{r['cpu_ns']:,.0f} ({r['user_ns']:,.0f}, {r['system_ns']:,.0f})"),
    ("p50/p99/p99.9 µs", lambda r: f"{r['p50_us']:,.0f}/{r['p99_us']:,.0f}/{r['p999_us']:,.0f}"),
    ("resident MB", lambda r: f"{r['resident_mb']:,.0f}"),
    ("heap bytes/request", lambda r: f"{r['allocated_bytes']:,.0f}" if r["allocated_bytes"] else ""),
    ("libevent4j is better by CPU", lambda r: ratio(r, "cpu")),
    ("by requests/s", lambda r: ratio(r, "requests")),
    ("errors", lambda r: str(int(r["errors"]) or "")),
)


def ratio(result, figure):
    if f"{figure}_ratio" not in result:
        return ""
    return f"{result[f'{figure}_ratio']:.2f}" + (" ≈" if result[f"{figure}_ratio_is_noise"] else "")


def table(results):
    lines = []
    for work, programs in results.items():
        lines += [f"### {work}", "", "| program | " + " | ".join(name for name, _ in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
        lines += [f"| {name} | " + " | ".join(column(result) for _, column in COLUMNS) + " |" for name, result in programs.items()]
        lines.append("")
    lines.append("A ratio above 1 means that libevent4j needs less CPU time, or answers more requests. ≈ stands behind those that differ from 1 "
                 "by less than the noise: in some round the other was the better.")
    return "\n".join(lines) + "\n"


def plot(results, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(len(results), 1, figsize=(9, 0.8 + 2.2 * len(results)), squeeze=False)
    for axis, (work, programs) in zip(axes.flat, results.items()):
        names = list(reversed(programs))
        axis.barh(names, [programs[name]["cpu_ns"] / 1000 for name in names],
                  color=["tab:orange" if name == OURS else "tab:blue" for name in names])
        axis.set_title(f"{work}: CPU µs per request", fontsize=9)
        axis.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3, help="of each round")
    parser.add_argument("--warmup", type=int, default=5, help="seconds for each program before its first round")
    parser.add_argument("--work", action="append", choices=list(WORK), help="only this; may be given again")
    parser.add_argument("--program", action="append", choices=list(SERVERS), help="only this; may be given again")
    parser.add_argument("--out", type=pathlib.Path, default=TARGET / "results")
    options = parser.parse_args()

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    options.file = TARGET / "gibibyte"
    with open(options.file, "wb") as file:
        file.truncate(1 << 30)
    options.out.mkdir(parents=True, exist_ok=True)

    results = {}
    for work in options.work or WORK:
        results[work] = measure(work, options.program or list(SERVERS), options)
        print(table({work: results[work]}), flush=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1))
    (options.out / "results.md").write_text(table(results))
    plot(results, options.out / "results.svg")
    print(f"written to {options.out}: results.md, results.json, results.svg")


if __name__ == "__main__":
    main()
