"""The loop alone: events that are activated, and timers that fire."""
import clients
import programs
from programs import Program
from rounds import LESS, interleaved, started
from sections import ALLOCATED, CPU, RESIDENT, Section, spread

# name: timers, the longest of their times in microseconds, seconds to run unmeasured before each round. In the first three more falls due
# than can be served. A million timers fire 200,000 times a second, and first fire those that fell due while others had their round.
ROWS = {"activation": (0, 0, 0), "1 timer": (1, 0, 0), "1000 timers": (1000, 250, 0), "1000000 timers": (1_000_000, 10_000_000, 3)}


def measure(row, commands, options):
    timers, longest, settle = row

    def settled(loop):
        if settle:
            loop.run(settle)
        return clients.work(loop, options.seconds)

    with started({name: [*command, timers, longest] for name, command in commands.items()}, Program) as loops:
        for loop in loops.values():
            loop.run(options.warmup)
        return interleaved(loops, options.rounds, settled)


SECTION = Section(
    option="loop", title="Loop", rows=ROWS, programs=programs.LOOPS, measure=measure,
    columns=(("fires/s", spread("per_second")), CPU, RESIDENT, ALLOCATED),
    better={"cpu_ns": LESS},
    plotted="cpu_ns", plotted_title="CPU ns per fire")
