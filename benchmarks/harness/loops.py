"""The loop alone: events that are activated, and timers that fire."""
import clients
import programs
from programs import Program
from rounds import LESS, interleaved, started
from sections import ALLOCATED, CPU, RESIDENT, Section, spread

# name: timers, and the longest of their times in microseconds. A thousand, as a million, fire some 100,000 times a second.
ROWS = {"activation": (0, 0), "1 timer": (1, 0), "1000 timers": (1000, 10_000), "1000000 timers": (1_000_000, 10_000_000)}


def work(loop, seconds):
    """One round. What fell due while others had theirs starts again."""
    loop.ask("prepare")
    return clients.work(loop, seconds)


def measure(row, commands, options):
    with started({name: [*command, *row] for name, command in commands.items()}, Program) as loops:
        for loop in loops.values():
            work(loop, options.warmup)
        return interleaved(loops, options.rounds, lambda loop: work(loop, options.seconds))


SECTION = Section(
    option="loop", title="Loop", rows=ROWS, programs=programs.LOOPS, measure=measure,
    columns=(("fires/s", spread("per_second")), CPU, RESIDENT, ALLOCATED),
    better={"cpu_ns": LESS},
    plotted="cpu_ns", plotted_title="CPU ns per fire")
