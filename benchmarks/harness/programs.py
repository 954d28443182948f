"""The programs, as processes: what they are started with, what they are asked, and what the kernel has counted of them."""
import os
import pathlib
import select
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
TARGET = HERE / "target"
PROGRAM_CORE, LOAD_CORE = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")
LONGEST = 300
"""Seconds in which any program must have done what it was asked for."""
FILE, FILE_SIZE = TARGET / "gibibyte", 1 << 30
ERRORS = TARGET / "errors.log"

OURS = "libevent4j"
PLAIN = "evhttp in C, plain"
TUNED = "evhttp in C, our build and options"
EPOLL = "epoll in C"
CLASSPATH = f"{TARGET}/libevent4j-benchmarks-0.1.0-SNAPSHOT.jar:{TARGET}/lib/*"


def java(name, *options):
    """A program in Java; each gets the same heap."""
    return ["java", "-Xmx512m", *options, "-cp", CLASSPATH, f"benchmarks.{name}"]


def native(name):
    return [f"{TARGET}/native/{name}"]


SERVERS = {
    OURS: java("server.Libevent4j"),
    PLAIN: native("evhttp-plain"),
    TUNED: native("evhttp-tuned"),
    EPOLL: native("epoll"),
    "Netty": java("server.Netty"),
    "Vert.x": java("server.Vertx"),
    "Undertow": java("server.Undertow"),
    "JDK httpserver": java("server.Jdk"),
}

CLIENTS = {
    OURS: java("client.Libevent4j"),
    "libevent4j, pooled": java("client.Libevent4jPooled"),
    PLAIN: native("client-plain"),
    TUNED: native("client-tuned"),
    "Netty": java("client.Netty"),
    "Vert.x": java("client.Vertx"),
    "Apache HttpClient": java("client.Apache"),
    "JDK HttpClient": java("client.Jdk"),
}

LOOPS = {
    OURS: java("loop.Libevent4j"),
    "libevent in C, plain": native("loop-plain"),
    "libevent in C, our build and options": native("loop-tuned"),
}


class Failure(Exception):
    """A program does not do what it should."""


class Program:
    """A process on a core, until it is closed."""

    def __init__(self, command, core=PROGRAM_CORE):
        self.command = command
        self.is_java = command[0] == "java"
        with open(ERRORS, "a") as errors:
            self.process = subprocess.Popen(["taskset", "-c", core, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True)
        try:
            line = self.line()
            if line != "ready\n":
                raise Failure(f"{self} says {line!r}, not that it is ready; see {ERRORS}")
        except Failure:
            self.close()
            raise

    def __str__(self):
        return " ".join(map(str, self.command))

    def line(self):
        """The next line that the program prints."""
        if not select.select([self.process.stdout], [], [], LONGEST)[0]:
            raise Failure(f"{self} has said nothing for {LONGEST} seconds")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self} has ended; see {ERRORS}")
        return line

    def ask(self, question):
        """One question of benchmarks.Answers, or native/rounds.h."""
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return self.line().split()

    def run(self, seconds):
        """The program's own work: how many operations, in how many seconds."""
        operations, took = self.ask(seconds)
        if int(operations) == 0:
            raise Failure(f"{self} has done nothing in {took} seconds")
        return int(operations), float(took)

    def cpu_seconds(self):
        """In user space and in the kernel."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / TICK, int(fields[12]) / TICK

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def allocated(self):
        """Bytes that all threads of a JVM have ever allocated on its heap."""
        return int(self.ask("allocated")[0]) if self.is_java else 0

    def live(self):
        """Bytes of a JVM's heap that are in use."""
        return int(self.ask("live")[0]) if self.is_java else 0

    def close(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server(Program):
    """A server that has answered."""

    def __init__(self, command, core=PROGRAM_CORE):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        started = time.monotonic()
        super().__init__([*command, self.port, FILE], core)
        self.request()
        self.start_seconds = time.monotonic() - started

    def request(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            reply = connection.recv(4096)
            if not reply.startswith(b"HTTP/1.1 200"):
                raise Failure(f"{self} replies {reply[:100]}")


class Usage:
    """What a program has used since this was made, for each of some operations."""

    def __init__(self, program):
        self.program = program
        self.allocated = program.allocated()
        self.user, self.system = program.cpu_seconds()

    def figures(self, operations):
        user, system = self.program.cpu_seconds()
        user, system = user - self.user, system - self.system
        figures = {"user_ns": user / operations * 1e9, "system_ns": system / operations * 1e9,
                   "cpu_ns": (user + system) / operations * 1e9, "resident_mb": self.program.resident() / 1e6}
        if self.program.is_java:
            figures["allocated_bytes"] = (self.program.allocated() - self.allocated) / operations
        return figures


def load(command, environment=None):
    """Runs a program that makes load, on the other core, and returns its last line."""
    run = subprocess.run(["taskset", "-c", LOAD_CORE, *map(str, command)], cwd=HERE, env={**os.environ, **(environment or {})},
                         capture_output=True, text=True, timeout=LONGEST)
    if run.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: {run.stderr.strip() or run.returncode}")
    return run.stdout.splitlines()[-1]
