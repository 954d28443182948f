"""From a program's start to its first reply."""
import programs
from programs import Server
from rounds import LESS, interleaved
from sections import RESIDENT, Section, spread

ROWS = {"first reply": None}


def start(command):
    with Server(command) as server:
        return {"start_ms": server.start_seconds * 1000, "cpu_ms": sum(server.cpu_seconds()) * 1000, "resident_mb": server.resident() / 1e6}


def measure(_, commands, options):
    for command in commands.values(): # once, so that all files are in memory, and the native library in its cache
        start(command)
    return interleaved(commands, options.rounds, start)


SECTION = Section(
    option="start", title="Start", rows=ROWS, programs=programs.SERVERS, measure=measure,
    columns=(("ms to the first reply", spread("start_ms")), ("CPU ms", spread("cpu_ms")), RESIDENT),
    better={"start_ms": LESS, "cpu_ms": LESS, "resident_mb": LESS},
    plotted="start_ms", plotted_title="ms to the first reply")
