"""What a section is: rows of work that are measured alike, and how their figures are told."""
import dataclasses
from typing import Any, Callable

from programs import OURS


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
    option: str
    """Its name on the command line."""
    title: str
    rows: dict[str, Any]
    """Each row's name, and what measure wants to know of it."""
    programs: dict[str, list[str]]
    measure: Callable
    """(row, commands, options): the rounds' figures of each command's program."""
    columns: tuple
    """Pairs of a title and what makes a cell of a program's summary."""
    better: dict[str, str]
    """The figures of which less, or more, is better: each is told as a ratio, too."""
    plotted: str
    """The figure that is plotted, and what it is."""
    plotted_title: str
    reference: str = OURS
    """The program that is compared with the others."""


def number(value):
    """With at least three digits that mean something."""
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}" if value else "0"


def spread(figure):
    """Median, and in brackets least and greatest."""
    return lambda result: f"{number(result[figure])} ({number(result[f'{figure}_min'])}–{number(result[f'{figure}_max'])})"


def several(*figures):
    """Medians, one after the other; nothing where there are none."""
    return lambda result: " / ".join(number(result[figure]) for figure in figures if figure in result)


CPU = ("CPU ns (user / system)", lambda result: f"{several('cpu_ns')(result)} ({several('user_ns', 'system_ns')(result)})")
LATENCY = ("p50 / p99 / p99.9 µs", several("p50_us", "p99_us", "p999_us"))
RESIDENT = ("resident MB", several("resident_mb"))
ALLOCATED = ("heap bytes", several("allocated_bytes"))
