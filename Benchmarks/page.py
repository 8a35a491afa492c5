"""The tables of docs/performance.md, and the facts that belong to them."""

import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path

from measure import BUILD, REPOSITORY

PAGE = REPOSITORY / "docs/performance.md"
STORE = BUILD / "bench/results.json"


def yes(met):
    return "yes" if met else "**no**"


def ratio(interval):
    middle, low, high = interval
    return f"{middle:.4f} [{low:.4f}, {high:.4f}]"


def times(interval):
    """A ratio that is far from one."""
    middle, low, high = interval
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


class Section:
    """A titled table."""

    def __init__(self, title, text, header):
        self.title, self.text, self.header, self.rows = title, text, header, []

    def add(self, *cells):
        assert len(cells) == len(self.header), (cells, self.header)
        self.rows.append([str(cell) for cell in cells])
        print("  " + " | ".join(self.rows[-1]), flush=True)

    def table(self):
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows)]
        lines = [self.header, ["-" * width for width in widths], *self.rows]
        return "\n".join(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
            for line in lines)


def store(name, section):
    """Keeps a result, so that the page has all sections whenever one is measured anew."""
    known = json.loads(STORE.read_text()) if STORE.exists() else {}
    known[name] = {
        "title": section.title, "text": section.text, "table": section.table(),
        "date": time.strftime("%Y-%m-%d"), "commit": commit()}
    STORE.write_text(json.dumps(known, indent=1))
    return known


def write(known, order):
    sections = [
        f"## {known[name]['title']}\n\n{known[name]['text']}\n\n{known[name]['table']}\n\n"
        f"Measured on {known[name]['date']} at commit {known[name]['commit']}.\n"
        for name in order if name in known]
    PAGE.write_text(HEAD.format(facts=facts()) + "\n" + "\n".join(sections))


HEAD = """# Performance

`make bench` measures everything on this page and writes it. `Benchmarks/run NAME` repeats one \
section; `Benchmarks/run --list` names them. The numbers are those of one machine at one time: \
what carries over is the ratios.

Programs with and without a profiler run in turn, the order changing from round to round, and \
neighbours are compared as a pair. A result is the median over the pairs with, in brackets, the \
interval that holds the true median with at least 95 % probability: the k-th smallest and k-th \
largest value, with k from the binomial distribution, which is valid whatever the values are \
distributed like.

{facts}
"""


def facts():
    rows = [
        ("Processor", f"{processor()}, {os.cpu_count()} CPUs"),
        ("Memory", f"{memory_gibibytes():.0f} GiB"),
        ("Kernel", f"Linux {platform.release()}, tick {tick_milliseconds():.0f} ms"),
        ("System", platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")),
        *[(name, version(command)) for name, command in [
            ("Swift", ["swift", "--version"]), ("g++", ["g++", "--version"]),
            ("perf", ["perf", "--version"]), ("xz", ["xz", "--version"]),
            ("OpenSSL", ["openssl", "version"]),
            ("heaptrack", ["heaptrack", "--version"]),
            ("SQLite", ["sqlite3", "--version"]),
            ("Python", ["/usr/bin/python3", "--version"])]]]
    return "\n".join(["| Machine | |", "| --- | --- |", *[f"| {a} | {b} |" for a, b in rows]])


def processor():
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kind = found.group(1) if found else platform.machine()
    return kind + (", virtual" if "hypervisor" in Path("/proc/cpuinfo").read_text() else "")


def memory_gibibytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def tick_milliseconds():
    clock_monotonic_coarse = 6  # its resolution is the tick; Python has no name for it
    return time.clock_getres(clock_monotonic_coarse) * 1000


def version(command):
    try:
        text = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "not installed"
    return text


def commit():
    done = subprocess.run(
        ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
