"""
What each lever is worth: the server in C with this project's build and options, and but for one of them. Instructions and system calls are
counted, and so the same whatever else the machine does.
"""
import contextlib
import pathlib
import tempfile
import time

import programs
import work
from programs import PLAIN, TUNED, Failure, Server
from rounds import LESS, interleaved, started
from sections import CPU, Section, several

ROW = work.Row()
ROWS = {"13 bytes, 50 connections": ROW}
FEW, MANY = 2000, 12000

PROGRAMS = {
    TUNED: programs.native("evhttp-tuned"),
    "without memory kept by its thread": programs.native("evhttp-without-CACHE"),
    "without plain formatting": programs.native("evhttp-without-FORMAT"),
    "without plain scanning": programs.native("evhttp-without-SCAN"),
    "without one optimised whole": programs.native("evhttp-without-WHOLE"),
    "without counts of an ordinary use": programs.native("evhttp-without-PROFILE"),
    "without plain splitting": programs.native("evhttp-without-SPLIT"),
    "without the short way to sockets": programs.native("evhttp-without-TRANSFER"),
    "without lines in one go": programs.native("evhttp-without-LINE"),
    "without names by their first letters": programs.native("evhttp-without-NAMES"),
    "with FIONREAD": programs.native("evhttp-without-FIONREAD"),
    "without writing at once": programs.native("evhttp-without-AT_ONCE"),
    "without one Date a second": programs.native("evhttp-without-DATE"),
    "without a list of changes": programs.native("evhttp-without-CHANGELIST"),
    PLAIN: programs.native("evhttp-plain"),
}


def instructions(log):
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"], lambda text: text.partition("Collected :")[2].split()[0]


def calls(log):
    return ["strace", "-D", "-c", "-U", "calls,name", "-o", log], lambda text: text.rpartition("\n")[0].split()[-2]


def counted(command, how):
    """What a server needs for one request, what it needs once being left out as the difference of two runs."""
    counts = []
    for requests in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            counter, parse = how(log)
            with Server([*counter, *command]) as server:
                programs.load(["h2load", "--h1", "-n", requests, "-c", ROW.connections, "-t1", f"http://127.0.0.1:{server.port}{ROW.path}"])
                server.process.terminate()
                server.process.wait()
            for _ in range(100): # strace ends after what it traces
                with contextlib.suppress(OSError, IndexError, ValueError):
                    counts.append(int(parse(log.read_text())))
                    break
                time.sleep(0.05)
            else:
                raise Failure(f"{counter[0]} has counted nothing of {command}")
    return (counts[1] - counts[0]) / (MANY - FEW)


def measure(row, commands, options):
    with started(commands, Server) as servers:
        for server in servers.values():
            work.wrk(server, row, options.warmup)
        rounds = interleaved(servers, options.rounds, lambda server: work.under_wrk(server, row, options.seconds))
    for name, command in commands.items():
        counts = {"instructions": counted(command, instructions), "calls": counted(command, calls)}
        for figures in rounds[name]:
            figures |= counts
    return rounds


SECTION = Section(
    option="lever", title="Levers, of the server in C", rows=ROWS, programs=PROGRAMS, measure=measure,
    columns=(("instructions in user space", several("instructions")), ("system calls", several("calls")), CPU),
    better={"cpu_ns": LESS}, reference=TUNED,
    plotted="cpu_ns", plotted_title="CPU ns per request")
