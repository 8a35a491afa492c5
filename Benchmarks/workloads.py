"""What is measured: programs that Debian ships, and one of ours, at a length that is asked for."""

import math
import shutil
import subprocess
from pathlib import Path

from measure import BUILD, HELPERS, REPOSITORY, run, timed

CC1PLUS = Path(run(["g++", "-print-prog-name=cc1plus"], output=subprocess.PIPE).strip())

PYTHON_JSON = """
import json, sys
rows = [{"id": i, "name": f"row {i}", "values": [i / 7, i * 3, None, True]} for i in range(20000)]
for _ in range(int(sys.argv[1])):
    json.loads(json.dumps(rows, indent=1))
"""

SQL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {amount}00000)
SELECT count(*), sum(length(hex(i))), max(i * 7 % 1009) FROM n GROUP BY i % 97;
"""


class Workloads:
    """Commands as argument lists. Each does a fixed amount of work, chosen once to take about
    `seconds`; input files are in `folder`."""

    def __init__(self, folder, seconds):
        self.folder = Path(folder)
        self.seconds = seconds
        self._commands = {}

    def __getitem__(self, name):
        if name not in self._commands:
            self._commands[name] = self._calibrated(getattr(self, "_" + name))
        return self._commands[name]

    def _calibrated(self, command):
        """Wall time may be another program's doing, CPU time is spread over threads: the smaller
        of the two must reach the length."""
        amount = 1
        while True:
            took = timed(command(amount), [], self.folder)
            took = min(took["wall"], took["cpu"])
            if took >= self.seconds * 0.95:
                return command(amount)
            amount = math.ceil(amount * min(20, 1.1 * self.seconds / max(took, 0.01)))

    def _threads(self, amount):
        return [HELPERS / "busythreads", "4", str(100 * amount)]

    def _xz(self, amount):
        return ["xz", "-3", "-T1", "-k", "-c", self._input(amount << 20)]

    def _openssl(self, amount):
        return ["openssl", "dgst", "-sha512", *[self._input(128 << 20)] * amount]

    def _python3(self, amount):
        return ["python3", "-c", PYTHON_JSON, str(amount)]

    def _sqlite3(self, amount):
        return ["sqlite3", ":memory:", SQL.format(amount=amount)]

    def _cc1plus(self, amount):
        source = REPOSITORY / "Tests/Workloads/templates.cc"
        loop = f"for i in $(seq {amount}); do g++ -O2 -c {source} -o {self.folder}/out.o; done"
        return ["sh", "-c", loop]

    def _input(self, size):
        """A file of real code: the bytes of cc1plus, again and again."""
        path = self.folder / f"input-{size >> 20}M"
        if not path.exists():
            code = CC1PLUS.read_bytes()
            path.write_bytes((code * (size // len(code) + 1))[:size])
        return path


def build_helpers():
    HELPERS.mkdir(parents=True, exist_ok=True)
    for source in Path(__file__).parent.glob("*.c"):
        run(["gcc", "-O2", "-pthread", source, "-o", HELPERS / source.stem])
    if shutil.which("swift"):
        run(["swift", "build", "--package-path", REPOSITORY, "-c", "release",
             "--static-swift-stdlib", "--product", "unwind-bench"], output=subprocess.PIPE)
    products = ["qprof", "libqprof-sampler.so", "libqprof-heap.so", "unwind-bench"]
    missing = [name for name in products if not (BUILD / "release" / name).exists()]
    if missing:
        raise SystemExit(f"not built in {BUILD}/release: {', '.join(missing)}; run `make bench`")
