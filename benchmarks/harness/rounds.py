"""Rounds, and what they say together."""
import contextlib
import statistics

LESS, MORE = "less", "more"


@contextlib.contextmanager
def started(commands, start):
    """Each command's program, all running at once, so that none meets the machine at another time than the others."""
    with contextlib.ExitStack() as running:
        yield {name: running.enter_context(start(command)) for name, command in commands.items()}


def interleaved(programs, count, measure):
    """In each round, each program is measured once. Its figures, of each round."""
    rounds = {name: [] for name in programs}
    for _ in range(count):
        for name, program in programs.items():
            rounds[name].append(measure(program))
    return rounds


def summary(rounds, better, reference):
    """
    Each program's median, least and greatest of each figure. For those of which less or more is better, how many times better that of the
    reference is: the median of the rounds' ratios. It is noise when in some round the other's was the better, or when there was one only.
    """
    return {name: {**spread(own), **ratios(own, rounds.get(reference), better)} for name, own in rounds.items()}


def spread(rounds):
    result = {}
    for figure in rounds[0]:
        values = [round[figure] for round in rounds]
        result[figure], result[f"{figure}_min"], result[f"{figure}_max"] = statistics.median(values), min(values), max(values)
    return result


def ratios(rounds, reference, better):
    result = {}
    for figure, which in better.items() if reference else ():
        pairs = [(theirs[figure] / mine[figure] if which == LESS else mine[figure] / theirs[figure]) for theirs, mine in zip(rounds, reference)
                 if theirs[figure] and mine[figure]]
        if pairs:
            result[f"{figure}_ratio"] = statistics.median(pairs)
            result[f"{figure}_ratio_is_noise"] = len(pairs) < 2 or min(pairs) <= 1 <= max(pairs)
    return result
