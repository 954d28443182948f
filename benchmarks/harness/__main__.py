"""
Runs the same work with each program in turn, round by round, and tells how they compare.

A program has one core and what it works with another. Each round runs every program once, for a few seconds, so that what else goes on on
the machine meets all of them. Without an option that names a section, all of them run.
"""
import argparse
import pathlib
import resource
import signal
import subprocess
import sys

import clients
import levers
import loops
import micro
import pace
import report
import start
import work
from programs import FILE, FILE_SIZE, TARGET, Failure
from rounds import summary

SECTIONS = [module.SECTION for module in (work, pace, clients, loops, start, micro, levers)]


def arguments():
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog=rows_text())
    for section in SECTIONS:
        parser.add_argument(f"--{section.option}", metavar="ROW", nargs="?", const="", action="append",
                            help=f"{section.title}: all rows, or those whose name has this in it; may be given again")
    parser.add_argument("--program", metavar="NAME", action="append",
                        help="only programs whose name has this in it, beside the first; may be given again")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all of it works")
    parser.add_argument("--rounds", type=int, help="7 unless given")
    parser.add_argument("--seconds", type=int, help="of each program in each round; 3 unless given")
    parser.add_argument("--warmup", type=int, help="seconds of each program before its first round; 5 unless given")
    parser.add_argument("--out", type=pathlib.Path, default=TARGET / "results", metavar="FOLDER", help="for the results")
    options = parser.parse_args()
    for name, usual, quick in (("rounds", 7, 1), ("seconds", 3, 2), ("warmup", 5, 1)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
        if getattr(options, name) < 1:
            parser.error(f"--{name} is at least 1")
    for part in options.program or ():
        if not any(part.lower() in name.lower() for section in SECTIONS for name in section.programs):
            parser.error(f"no program is called like {part!r}; see --help")
    return parser, options


def rows_text():
    """For --help."""
    lines = []
    for section in SECTIONS:
        lines += [f"--{section.option}: {', '.join(section.rows)}", f"    with {', '.join(section.programs)}"]
    return "\n".join(["rows and programs:", *lines])


def chosen(parser, options):
    """The sections that were asked for, with the rows of each."""
    asked = {section: getattr(options, section.option) for section in SECTIONS}
    if not any(asked.values()):
        asked = {section: [""] for section in SECTIONS}
    result = []
    for section, parts in asked.items():
        rows = {row: what for row, what in section.rows.items() if any(part.lower() in row.lower() for part in parts or ())}
        if parts and not rows:
            parser.error(f"--{section.option} has no row like {parts}; see --help")
        if rows:
            result.append((section, rows))
    return result


def commands(section, options):
    parts = [part.lower() for part in options.program or [""]]
    return {name: command for name, command in section.programs.items()
            if name == section.reference or any(part in name.lower() for part in parts)}


def main():
    parser, options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated")) # and so closes its programs
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with open(FILE, "wb") as file:
        file.truncate(FILE_SIZE)

    results, failed = {}, []
    for section, rows in chosen(parser, options):
        print(f"## {section.title}\n", flush=True)
        for row, what in rows.items():
            try:
                rounds = section.measure(what, commands(section, options), options)
            except (Failure, OSError, subprocess.TimeoutExpired) as failure:
                failed.append(row)
                print(f"### {row}\n\nFAILED: {failure}\n", flush=True)
                continue
            results.setdefault(section, {})[row] = summary(rounds, section.better, section.reference)
            print(report.table(section, row, results[section][row]), flush=True)
            report.write(results, options.out)
    print(report.NOTE)
    print(f"written to {options.out}: results.md, results.json, results.svg")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
