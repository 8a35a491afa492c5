"""What being recorded costs the program that is recorded."""

import subprocess

from measure import HELPERS, alternate, median_interval, perf, qprof, run, timed
from page import Section, ratio, yes

LIMIT = 1.01


def overhead(bench):
    """Ratio of time with a profiler to time without, at the default rate."""
    section = Section(
        "Overhead at the default rate",
        "Time with the profiler divided by time without it. CPU time is user and system time of "
        "the program alone, by `wait4`, without the profiler's. `perf` is `perf record -g -F 250 "
        "-e cpu-clock`.",
        ["Program", "Below", "Pairs", "Alone", "CPU time, ratio", "Wall time, ratio", "Target",
         "Met"])
    for name, title in [("threads", "4 threads, pure ALU"), ("xz", "`xz -3`"),
                        ("openssl", "`openssl dgst -sha512`")]:
        command = bench.workloads[name]
        recording, data = bench.folder / "run.qprof", bench.folder / "perf.data"

        results = alternate(
            {"alone": lambda: timed(command, [], bench.folder),
             "qprof": lambda: timed(command, qprof(recording), bench.folder),
             "perf": lambda: timed(command, perf(data), bench.folder)}, bench.rounds)
        alone = median_interval([r["cpu"] for r in results["alone"]])[0]
        for tool in ["qprof", "perf"]:
            cpu, wall = (
                median_interval([b[key] / a[key] for a, b in zip(results["alone"], results[tool])])
                for key in ["cpu", "wall"])
            bound = cpu[2] if name == "threads" else cpu[1]
            what = "upper bound" if name == "threads" else "lower bound"
            is_ours = tool == "qprof"
            section.add(
                title, tool, bench.rounds, f"{alone:.2f} s", ratio(cpu), ratio(wall),
                f"{what} ≤ {LIMIT}" if is_ours else "", yes(bound <= LIMIT) if is_ours else "")
    return section


# `times` tells of the shell itself only when it runs in no subshell.
SHELL_LOOP = """
times >"$1"; start=$EPOCHREALTIME
for ((i = 0; i < COUNT; i++)); do /bin/true; done
end=$EPOCHREALTIME; times >"$2"
awk -v wall="$start $end" '
  { split($1 "m" $2, t, /[ms]+/); seconds = t[1] * 60 + t[2] + t[3] * 60 + t[4] }
  { cpu += FILENAME == ARGV[1] ? -seconds : seconds }
  END { split(wall, w, " "); printf "%.6f %.6f\\n", w[2] - w[1], cpu }' "$1" "$2"
"""


def processes(bench):
    """Time that each process started and each fork takes more."""
    section = Section(
        "Added time per process",
        "Difference between a loop below qprof and the same loop alone, divided by its length. "
        "The loops take their own time, so that qprof's start-up is not in it; CPU time includes "
        "the children's.",
        ["Loop", "Pairs", "Alone, wall", "Added, wall", "Added, CPU time", "Target", "Met"])
    count, forks = 150, 1000
    shell = [
        "bash", "-c", SHELL_LOOP.replace("COUNT", str(count)), "bash", bench.folder / "before",
        bench.folder / "after"]
    for title, command, length, limit in [
            (f"{count} × `/bin/true` in bash", shell, count, 150),
            (f"{forks} × fork", [HELPERS / "forkloop", str(forks)], forks, 20)]:
        recording = bench.folder / "run.qprof"

        def loop(prefix):
            wall, cpu = map(float, run(command, prefix, output=subprocess.PIPE).split())
            return {"wall": wall / length * 1e6, "cpu": cpu / length * 1e6}

        results = alternate(
            {"alone": lambda: loop([]), "qprof": lambda: loop(qprof(recording))}, bench.rounds)
        alone = median_interval([r["wall"] for r in results["alone"]])[0]
        wall, cpu = (
            median_interval([b[key] - a[key] for a, b in zip(results["alone"], results["qprof"])])
            for key in ["wall", "cpu"])
        section.add(
            title, bench.rounds, f"{alone:.0f} µs", microseconds(wall), microseconds(cpu),
            f"≤ {limit} µs", yes(wall[0] <= limit))
    return section


def microseconds(interval):
    middle, low, high = interval
    return f"{middle:.0f} µs [{low:.0f}, {high:.0f}]"
