"""What the recorder itself needs: CPU time and memory."""

import json
import subprocess

from measure import QPROF, Watch, median_interval, qprof, run
from page import Section, yes

PROGRAMS = [("xz", "`xz -3`"), ("python3", "python3, json"), ("sqlite3", "sqlite3"),
            ("cc1plus", "`g++ -O2`, in a loop"), ("threads", "4 threads, pure ALU")]


def recorder(bench):
    """CPU time of the recorder as a share of the recorded program's, and its memory."""
    section = Section(
        "The recorder",
        "CPU time of the qprof process while the program runs, divided by the CPU time of the "
        "program: the share of one core for each busy thread. The whole includes starting up and "
        "finding names at the end. Peak memory is `VmHWM`. Medians.",
        ["Program", "Runs", "Program's CPU time", "Recorder, draining and unwinding", "Target",
         "Met", "Recorder, whole", "Peak memory", "Target", "Met"])
    for name, title in PROGRAMS:
        recording = bench.folder / "run.qprof"
        runs = []
        for _ in range(bench.repeats):
            watch = Watch(bench.workloads[name], qprof(recording))
            runs.append((watch, cpu_time(recording)))
        share = median([w.while_running / program for w, program in runs])
        peak = max(w.peak for w, _ in runs)
        section.add(
            title, len(runs), f"{median([program for _, program in runs]):.2f} s",
            f"{share:.2%}", "≤ 3 %", yes(share <= 0.03),
            f"{median([w.cpu for w, _ in runs]):.2f} s", megabytes(peak), "< 150 MB",
            yes(peak < 150e6))
    return section


def memory(bench):
    """Memory of the recorder over many short processes."""
    first, last = (20, 200) if bench.quick else (100, 1000)
    loop = (f"for ((i = 1; i <= {last}; i++)); do /bin/true; "
            f"if ((i == {first} || i == {last})); then echo $i; sleep 2; fi; done; :")
    section = Section(
        "Memory over many processes",
        f"Peak memory of the recorder after {first} and after {last} runs of `/bin/true`.",
        [f"After {first}", f"After {last}", "Growth", "Target", "Met"])
    seen = {}
    Watch(["bash", "-c", loop], qprof(bench.folder / "run.qprof"),
          mark=lambda line, peak: seen.__setitem__(int(line), peak))
    growth = seen[last] - seen[first]
    section.add(
        megabytes(seen[first]), megabytes(seen[last]), megabytes(growth), "≤ 5 MB",
        yes(growth <= 5e6))
    return section


def cpu_time(recording):
    """CPU seconds of the recorded program, as the recording states them."""
    report = json.loads(run([QPROF, "report", "--json", recording], output=subprocess.PIPE))
    return report["recording"]["cpuSeconds"]


def median(values):
    return median_interval(values)[0]


def megabytes(count):
    return f"{count / 1e6:.1f} MB"
