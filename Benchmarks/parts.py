"""Unwinding, symbolising and the size of a recording, through unwind-bench."""

import json
import sqlite3
import subprocess

from measure import UNWIND_BENCH, median_interval, qprof, run
from page import Section, yes
from recorder import PROGRAMS
from workloads import CC1PLUS

# The process whose stacks are meant, by program.
PROCESS = {"xz": "xz", "python3": "python3", "sqlite3": "sqlite3", "cc1plus": "cc1plus",
           "threads": "busythreads"}
LIVE_LIMIT = {"cc1plus": 1.2}
WARM_LIMIT = 0.2


def unwinding(bench):
    """CPU time of unwinding one frame."""
    section = Section(
        "Unwinding",
        "CPU time per frame: live, each sample once at the moment it is taken from its ring; "
        "repeated, every 20th sample 200 times over.",
        ["Program", "Samples", "Frames per sample", "Live", "Target", "Met", "Repeated", "Target",
         "Met"])
    result = bench.folder / "unwind.json"
    for name, title in PROGRAMS:
        runs = []
        for _ in range(bench.repeats):
            run([UNWIND_BENCH, "unwind", result, *bench.workloads[name]])
            runs.append(json.loads(result.read_text())[PROCESS[name]])
        live, warm = (
            median_interval([r[cost] / 1000 / max(1, r[frames]) for r in runs])[0]
            for cost, frames in [("nanoseconds", "frames"), ("warmNanoseconds", "warmFrames")])
        samples = sum(r["samples"] for r in runs)
        limit = LIVE_LIMIT.get(name, 0.6)
        section.add(
            title, samples, f"{sum(r['frames'] for r in runs) / samples:.1f}",
            f"{live:.2f} µs", f"≤ {limit} µs", yes(live <= limit),
            f"{warm:.2f} µs", f"≤ {WARM_LIMIT} µs", yes(warm <= WARM_LIMIT))
    return section


def symbolizing(bench):
    """Time to find the names of many addresses."""
    section = Section(
        "Symbolising",
        f"10,000 distinct addresses spread over the functions of `{CC1PLUS}` (stripped, as Debian "
        "ships it), in a new process each time.",
        ["Runs", "Named", "Wall time", "CPU time", "Target", "Met"])
    runs = [
        json.loads(run([UNWIND_BENCH, "symbolize", CC1PLUS, "10000"], output=subprocess.PIPE))
        for _ in range(bench.repeats)]
    wall, cpu = (
        median_interval([r[key] for r in runs])[0] for key in ["wallSeconds", "cpuSeconds"])
    section.add(
        len(runs), runs[0]["named"], f"{wall:.2f} s", f"{cpu:.2f} s", "< 2 s", yes(wall < 2))
    return section


def size(bench):
    """Bytes of a recording."""
    samples, stacks = (300, 100) if bench.quick else (10_000, 2_000)
    section = Section(
        "Size of a recording",
        f"{samples:,} samples of `g++ -O2` over {stacks:,} distinct stacks, which are "
        "spread evenly over those of a longer recording; symbolised. Bytes of the pages that "
        "SQLite's `dbstat` counts for a table.",
        ["What", "Bytes", "For each", "Bytes each", "Target", "Met"])
    source, chosen = bench.folder / "long.qprof", bench.folder / "chosen.qprof"
    record_samples(bench, source, samples)
    chosen.unlink(missing_ok=True)
    run([UNWIND_BENCH, "sample-set", source, chosen, samples, stacks])
    whole = chosen.stat().st_size
    with sqlite3.connect(f"file:{chosen}?mode=ro", uri=True) as db:
        pages = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        rows = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ["sample", "stack", "location"]}
    for table, limit in [("sample", 20), ("stack", None), ("location", None)]:
        each = pages[table] / rows[table]
        section.add(
            f"table `{table}`", f"{pages[table]:,}", f"{rows[table]:,} rows", f"{each:.1f}",
            f"≤ {limit}" if limit else "", yes(each <= limit) if limit else "")
    each = whole / samples
    section.add(
        "the whole file", f"{whole:,}", f"{samples:,} samples", f"{each:.1f}", "≤ 80",
        yes(each <= 80))
    return section


def record_samples(bench, recording, count):
    """Records compilers, two at a time, until there are `count` samples."""
    once = " ".join(map(str, bench.workloads["cc1plus"][2:]))
    repeat = 1
    while True:
        recording.unlink(missing_ok=True)
        pair = f"f() {{ {once}\n}}; for k in $(seq {repeat}); do f & f; wait; done"
        run(["sh", "-c", pair.replace("/out.o", "/out$$.o")], qprof(recording))
        with sqlite3.connect(f"file:{recording}?mode=ro", uri=True) as db:
            found = db.execute("SELECT count(*) FROM sample").fetchone()[0]
        if found >= count:
            return
        repeat = int(repeat * max(2, 1.2 * count / max(1, found)))
