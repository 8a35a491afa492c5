"""What tracking allocations costs the program, with heaptrack beside it."""

import sqlite3
import time

from heapworkloads import MODES, heaptrack, heaptrack_in_process, loads, programs
from measure import alternate, median_interval, qprof, run, timed
from page import Section, times, yes

# CPU time of the program, times that of the program alone.
CPU_LIMITS = {
    "tight": {"full": 7, "sample": 1.6, "count": 1.5},
    "deep": {"full": 6, "sample": 1.3, "count": 1.2},
    "4 threads": {"full": 6, "sample": 1.4, "count": 1.3},
    "sqlite": {"full": 2.0, "sample": 1.1, "count": 1.05},
    "python": {"full": 2.4, "sample": 1.1, "count": 1.05},
    "cc1plus": {"full": 1.35, "sample": 1.05, "count": 1.02},
}


def cpu(bench):
    """CPU time of a program whose allocations are tracked, in each mode."""
    section = Section(
        "Heap: CPU time of the program",
        "User and system time of the program alone, by `wait4`, divided by that of a run without "
        "a profiler; qprof's own is not in it. heaptrack is its part inside the program, which "
        "writes its text to a file in memory.",
        ["Program", "Below", "Rounds", "Alone", "CPU time, ratio", "At most", "Met", "Lost events"])
    for name, program in programs().items():
        def measured(prefix=(), inner=()):
            return timed(
                [*inner, *program.command], prefix, bench.folder, program.environment)["cpu"]

        path = bench.folder / "run.qprof"
        raw = bench.folder / "heaptrack.raw"
        lost = dict.fromkeys(MODES, 0)

        def tracked(mode):
            seconds = measured(qprof(path, f"--heap={mode}"))
            lost[mode] += lost_events(path)
            return seconds

        measures = {"alone": measured}
        for mode in MODES:
            measures[mode] = lambda mode=mode: tracked(mode)
        measures["heaptrack"] = lambda: measured(inner=heaptrack_in_process(raw))
        results = alternate(measures, bench.rounds)
        raw.unlink(missing_ok=True)
        alone = median_interval(results["alone"])[0]
        for tool in [*MODES, "heaptrack"]:
            ratio = paired_ratio(results["alone"], results[tool])
            limit = CPU_LIMITS.get(name, {}).get(tool)
            section.add(
                program.title, tool, bench.rounds, f"{alone * 1e3:.0f} ms", times(ratio),
                *verdict(ratio[0], limit), lost.get(tool, ""))
    return section


# heaptrack needs 18 GB for the deep stacks: its table of sizes and stacks has a broken hash.
WALL_LIMITS = {"tight": 15, "4 threads": 15}
HALF_OF_HEAPTRACK = ["sqlite", "python", "cc1plus"]


def wall(bench):
    """Time from start to finished recording in mode full, heaptrack's beside it."""
    section = Section(
        "Heap: from start to finished recording",
        "Wall time of `qprof record --heap` and of `heaptrack` as a whole, divided by that of the "
        "program alone.",
        ["Program", "Rounds", "Alone", "qprof, ratio", "heaptrack, ratio", "At most", "Met"])
    for name, program in programs().items():
        if name not in WALL_LIMITS and name not in HALF_OF_HEAPTRACK:
            continue

        def measured(prefix):
            start = time.monotonic()
            run(program.command, prefix, environment=program.environment)
            return time.monotonic() - start

        path = bench.folder / "run"
        results = alternate(
            {"alone": lambda: measured([]), "qprof": lambda: measured(qprof(path, "--heap=full")),
             "heaptrack": lambda: measured(heaptrack(path))}, bench.rounds)
        alone = median_interval(results["alone"])[0]
        ours, theirs = (
            paired_ratio(results["alone"], results[tool]) for tool in ["qprof", "heaptrack"])
        limit = WALL_LIMITS.get(name, theirs[0] / 2)
        section.add(
            program.title, bench.rounds, f"{alone * 1e3:.0f} ms", times(ours), times(theirs),
            *verdict(ours[0], limit))
    return section


def threads(bench):
    """The same work shared out among more threads, in mode full."""
    section = Section(
        "Heap: more threads, the same work",
        "Wall time of the program alone, by `wait4`, for 2.3 million allocations in all, shared "
        "out among threads. Tracking must not make more threads slower than one.",
        ["Threads", "Rounds", "No profiler", "qprof, full", "heaptrack", "qprof to one thread",
         "At most", "Met"])
    counts = [1, 2, 8]

    def measured(count, prefix=(), inner=()):
        return timed(
            [*inner, *loads("threads", count, 2_300_000)], prefix, bench.folder)["wall"]

    path, raw = bench.folder / "run.qprof", bench.folder / "heaptrack.raw"
    measures = {}
    for count in counts:
        measures["alone", count] = lambda n=count: measured(n)
        measures["qprof", count] = lambda n=count: measured(n, qprof(path, "--heap=full"))
        measures["heaptrack", count] = lambda n=count: measured(n, inner=heaptrack_in_process(raw))
    results = alternate(measures, bench.rounds)
    raw.unlink(missing_ok=True)
    for count in counts:
        seconds = [
            f"{median_interval(results[tool, count])[0]:.3f} s"
            for tool in ["alone", "qprof", "heaptrack"]]
        ratio = paired_ratio(results["qprof", counts[0]], results["qprof", count])
        section.add(
            count, bench.rounds, *seconds, times(ratio),
            *verdict(ratio[0], None if count == counts[0] else 1))
    return section


def lost_events(recording):
    """What was not recorded was not paid for: a figure is worth something only if this is 0."""
    return sqlite3.connect(recording).execute("SELECT sum(lost) FROM heap_process").fetchone()[0]


def paired_ratio(alone, tracked):
    return median_interval([b / a for a, b in zip(alone, tracked)])


def verdict(value, limit):
    """The cells `At most` and `Met`; empty where nothing was promised."""
    return ("", "") if limit is None else (f"{limit:.3g}", yes(value <= limit))
