"""Running commands with and without a profiler, and what can be said of the results."""

import math
import os
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = REPOSITORY / ".build"
QPROF = BUILD / "release/qprof"
UNWIND_BENCH = BUILD / "release/unwind-bench"
HELPERS = BUILD / "bench"


def qprof(recording, *options):
    """qprof with a new recording."""
    Path(recording).unlink(missing_ok=True)
    return [str(QPROF), "record", *options, "-o", str(recording), "--"]


def perf(data):
    """perf with call chains at the rate that qprof reaches."""
    return ["perf", "record", "-q", "-g", "-F", "250", "-e", "cpu-clock", "-o", str(data), "--"]


def run(command, prefix=(), output=subprocess.DEVNULL, environment=None):
    """Runs to the end, and returns what was printed if `output` is a pipe."""
    done = subprocess.run(
        [*prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output,
        stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join([*prefix, *map(str, command)])}\nended with status {done.returncode}: "
            f"{(done.stderr or done.stdout or '').strip()}")
    return done.stdout


def timed(command, prefix, folder, environment=None):
    """Wall and CPU seconds and the peak resident bytes of the command alone, whatever `prefix` it
    runs below."""
    result = Path(folder) / "timed.txt"
    run([HELPERS / "timed", result, *command], prefix, environment=environment)
    wall, cpu, peak = map(float, result.read_text().split())
    return {"wall": wall, "cpu": cpu, "peak": peak * 1024}


def alternate(measures, rounds):
    """Calls each of the named measures once a round, the first one first in every other round.

    Returns a list of results for each name; results at one position were measured next to each
    other and make a pair.
    """
    results = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures)
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(measures[name]())
    return results


def median_interval(values):
    """Median and the interval that covers the true median with at least 95 % probability.

    The bounds are the k-th smallest and k-th largest value, k the largest number for which
    2·P(Binomial(n, 1/2) < k) is at most 0.05: this holds for any distribution. Fewer than six
    values allow no such statement; their range is returned.
    """
    ordered = sorted(values)
    n = len(ordered)
    below, k = 0.0, 0
    while True:
        below += math.comb(n, k) / 2**n
        if 2 * below > 0.05:
            break
        k += 1
    k = max(1, k)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return middle, ordered[k - 1], ordered[n - k]


class Watch:
    """A recording by qprof (`prefix`), watched from outside through its process clock and /proc.

    `while_running` is the recorder's CPU time while the command runs; `cpu` includes starting up
    and finding names at the end; `peak` is the most memory it had, in bytes. `mark` is called
    with each line that the command prints and with the memory at that moment.
    """

    def __init__(self, command, prefix, mark=None, interval=0.02, environment=None):
        process = subprocess.Popen(
            [*prefix, *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if mark else subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})})
        if mark:
            os.set_blocking(process.stdout.fileno(), False)
        first = last = None
        self.cpu = self.peak = 0
        while process.poll() is None:
            self._look(process.pid)
            if self._has_child(process.pid):
                first = self.cpu if first is None else first
                last = self.cpu
            for line in (process.stdout.readlines() if mark else []):
                time.sleep(0.5)  # let the recorder take in what happened before the line
                self._look(process.pid)
                mark(line.decode().strip(), self.peak)
            time.sleep(interval)
        message = process.stderr.read().decode()
        if process.returncode != 0:
            raise SystemExit(f"qprof record {command}: status {process.returncode}: {message}")
        self.while_running = (last or 0) - (first or 0)

    def _look(self, pid):
        try:
            # CPUCLOCK_SCHED of the process, see clock_getcpuclockid(3): its threads, not children.
            self.cpu = time.clock_gettime((~pid << 3) | 2)
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)
        except (OSError, ValueError):
            pass  # it has just ended

    @staticmethod
    def _has_child(pid):
        try:
            return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().strip())
        except OSError:
            return False
