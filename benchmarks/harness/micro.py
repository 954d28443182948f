"""JMH's benchmarks of single operations, with what they allocate."""
import json
import subprocess

from programs import CLASSPATH, OURS, PROGRAM_CORE, TARGET, Failure
from sections import Section, several, spread

ROWS = {"crossings": "Crossings", "buffers": "Buffers", "header access": "HeaderAccess"}


def measure(name, _, options):
    """What JMH calls a benchmark stands in a program's place."""
    out = TARGET / "jmh.json"
    command = ["taskset", "-c", PROGRAM_CORE, "java", "-Xmx512m", "-cp", CLASSPATH, "org.openjdk.jmh.Main", f"benchmarks.micro.{name}.", "-f", "1",
               "-wi", 1, "-w", options.warmup, "-i", options.rounds, "-r", options.seconds, "-prof", "gc", "-rf", "json", "-rff", out]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode != 0 or not out.exists():
        raise Failure(f"JMH: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    results = {}
    for result in json.loads(out.read_text()):
        parameters = ", ".join(f"{key} {value}" for key, value in result.get("params", {}).items())
        allocated = result["secondaryMetrics"]["gc.alloc.rate.norm"]["score"]
        results[" ".join(filter(None, (result["benchmark"].rpartition(".")[2], parameters)))] = [
            {"ns": nanos, "allocated_bytes": allocated} for nanos in result["primaryMetric"]["rawData"][0]]
    return results


SECTION = Section(
    option="jmh", title="Single operations", rows=ROWS, programs={OURS: None}, measure=measure,
    columns=(("ns", spread("ns")), ("heap bytes", several("allocated_bytes"))),
    better={}, plotted="ns", plotted_title="ns per operation")
