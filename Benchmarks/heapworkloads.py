"""Programs that allocate, each a fixed amount, and the tools that watch them."""

import shlex
import subprocess
from pathlib import Path

from measure import HELPERS

SOURCES = Path(__file__).parent / "inputs"
HEAPTRACK_PRELOAD = Path("/usr/lib/heaptrack/libheaptrack_preload.so")
MODES = ["full", "sample", "count"]


class Program:
    """A command, the variables it needs, and how many of its threads allocate."""

    def __init__(self, title, command, threads=1, environment=None):
        self.title, self.command, self.threads = title, command, threads
        self.environment = environment


def loads(mode, *numbers):
    return [str(HELPERS / "heaploads"), mode, *map(str, numbers)]


def cc1plus():
    """The compiler proper with the arguments that g++ gives it."""
    done = subprocess.run(
        ["g++", "-###", "-O2", "-S", SOURCES / "small.cc", "-o", "/dev/null"],
        capture_output=True, text=True, check=True)
    line = next(line for line in done.stderr.splitlines() if "cc1plus" in line)
    return shlex.split(line)


def programs():
    """By name. As many allocations as in notes/heap.md, where heaptrack's figures come from."""
    return {
        "tight": Program("5 M pairs, one stack", loads("tight", 5_000_000)),
        "deep": Program("1 M, 50 frames deep", loads("deep", 1_000_000)),
        "4 threads": Program("2.3 M on 4 threads", loads("threads", 4, 2_300_000), 4),
        "8 threads": Program("2.3 M on 8 threads", loads("threads", 8, 2_300_000), 8),
        "sqlite": Program(
            "sqlite3, 200 k rows", ["sqlite3", ":memory:", f".read {SOURCES / 'rows.sql'}"]),
        "python": Program(
            "python3, json", ["/usr/bin/python3", str(SOURCES / "rows.py")],
            environment={"PYTHONMALLOC": "malloc"}),
        "cc1plus": Program("cc1plus", cc1plus()),
    }


def heaptrack_in_process(path):
    """The part of heaptrack that works in the program, its raw text going to a file."""
    Path(path).unlink(missing_ok=True)
    return ["env", f"LD_PRELOAD={HEAPTRACK_PRELOAD}", f"DUMP_HEAPTRACK_OUTPUT={path}"]


def heaptrack(path):
    """heaptrack as people run it."""
    for old in Path(path).parent.glob(Path(path).name + "*"):
        old.unlink()
    return ["heaptrack", "-o", str(path)]

