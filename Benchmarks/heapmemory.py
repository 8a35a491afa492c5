"""The memory and the room that tracking allocations takes, and how fast the recorder is."""

from heapworkloads import MODES, loads, programs
from measure import Watch, alternate, median_interval, qprof, timed
from page import Section, yes


def memory(bench):
    """Memory added to the program, the recorder's own, and the size of the recording."""
    section = Section(
        "Heap: memory and recordings",
        "Added to the program: the difference of its peak resident sizes (`ru_maxrss`) with and "
        "without qprof, rings included; at most 5 MB and 512 KB for each thread that allocates. "
        "The recorder's peak is its `VmHWM` in mode full, and the recording that run's. Medians.",
        ["Program", "Runs", "Alone", *(f"Added, {mode}" for mode in MODES), "At most", "Met",
         "Recorder", "At most", "Met", "Recording"])
    path = bench.folder / "run.qprof"
    for program in programs().values():
        def peak(prefix=()):
            return timed(program.command, prefix, bench.folder, program.environment)["peak"]

        measures = {"alone": peak}
        for mode in MODES:
            measures[mode] = lambda mode=mode: peak(qprof(path, f"--heap={mode}"))
        results = alternate(measures, bench.repeats)
        alone = middle(results["alone"])
        added = [middle(results[mode]) - alone for mode in MODES]
        allowed = 5e6 + 512e3 * program.threads
        recorder = middle([
            Watch(program.command, qprof(path, "--heap=full"), environment=program.environment,
                  interval=0.005).peak
            for _ in range(bench.repeats)])
        section.add(
            program.title, bench.repeats, megabytes(alone), *map(megabytes, added),
            megabytes(allowed), yes(max(added) <= allowed), megabytes(recorder), "100 MB",
            yes(recorder < 100e6), kilobytes(path.stat().st_size))
    return section


def recorder(bench):
    """How many events the recorder takes in a second of CPU time, and what 10⁸ leave behind."""
    section = Section(
        "Heap: the recorder",
        "Allocations and frees of one program in mode full, divided by the CPU time of the qprof "
        "process; what qprof needs for `/bin/true` is taken off. In the tight loop each block is "
        "freed at once, so that the agent may hand over many events in one record; on the threads "
        "other blocks come between.",
        ["Program", "Runs", "Events", "Recorder", "Events per second", "At least", "Met",
         "Recording", "At most", "Met"])
    scale = 10 if bench.quick else 1
    path = bench.folder / "run.qprof"

    def watched(command):
        seen = [Watch(command, qprof(path, "--heap=full")) for _ in range(bench.repeats)]
        return middle([watch.cpu for watch in seen])

    empty = watched(["true"])
    for title, load, allocations in [
            ("tight loop", ["tight"], 50_000_000 // scale),
            ("2 threads", ["threads", 2], 20_000_000 // scale)]:
        seconds = watched(loads(*load, allocations)) - empty
        events = 2 * allocations
        rate, size = events / seconds, path.stat().st_size
        section.add(
            title, bench.repeats, f"{events:,}", f"{seconds:.2f} s", f"{rate / 1e6:.1f} M", "8 M",
            yes(rate >= 8e6), kilobytes(size), "1,000 kB", yes(size < 1e6))
    return section


def middle(values):
    return median_interval(values)[0]


def megabytes(count):
    return f"{count / 1e6:.1f} MB"


def kilobytes(count):
    return f"{count / 1e3:,.0f} kB"
