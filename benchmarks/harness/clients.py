"""Clients, each with so many requests under way at any time, to the bare epoll server on the other core."""
import programs
from programs import LOAD_CORE, EPOLL, Program, Server, Usage
from rounds import LESS, MORE, interleaved, started
from sections import ALLOCATED, CPU, RESIDENT, Section, spread

ROWS = {"1 connection": 1, "50 connections": 50}


def work(program, seconds):
    """One round of a program that has work of its own."""
    usage = Usage(program)
    operations, took = program.run(seconds)
    return {"per_second": operations / took, **usage.figures(operations)}


def measure(connections, commands, options):
    with Server(programs.SERVERS[EPOLL], LOAD_CORE) as server, \
            started({name: [*command, server.port, connections] for name, command in commands.items()}, Program) as clients:
        for client in clients.values():
            client.run(options.warmup)
        return interleaved(clients, options.rounds, lambda client: work(client, options.seconds))


SECTION = Section(
    option="client", title="Clients", rows=ROWS, programs=programs.CLIENTS, measure=measure,
    columns=(("requests/s", spread("per_second")), CPU, RESIDENT, ALLOCATED),
    better={"cpu_ns": LESS, "per_second": MORE},
    plotted="cpu_ns", plotted_title="CPU ns per request")
