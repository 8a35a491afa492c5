"""Writes and reads 40,000 rows of JSON, in about two million allocations with PYTHONMALLOC=malloc."""

import json

rows = [{"id": i, "name": f"row {i}", "values": [i / 7, i * 3, None, True]} for i in range(20000)]
for _ in range(2):
    assert json.loads(json.dumps(rows, indent=1)) == rows
