"""Microseconds to check a record against its JSON Schema: jsonschema-rs (ours), fastjsonschema, jsonschema.

    python benchmarks/record_schema.py [--records 10294]

fastjsonschema is not among our requirements; a library that is not installed is left out. Beside them stands the time
of parsing the record's line, and of reading a samples file of such records whole, for the size of the job.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis_speed import documents, write_run

from medqdeg.utils.analysis.runs.files import read_samples
from medqdeg.utils.analysis.runs.schema_check import record_schema

ROUNDS = 5


def checks() -> dict[str, Callable[[Any], object]]:
    """Return library -> its check, of those that are installed."""
    import jsonschema_rs

    schema = record_schema()
    found: dict[str, Callable[[Any], object]] = {"jsonschema-rs": jsonschema_rs.validator_for(schema).is_valid}
    if importlib.util.find_spec("fastjsonschema"):
        import fastjsonschema

        # It knows drafts up to 7; what the schema uses of 2020-12 is the same there.
        found["fastjsonschema"] = fastjsonschema.compile(
            {**schema, "$schema": "http://json-schema.org/draft-07/schema#"}
        )
    if importlib.util.find_spec("jsonschema"):
        import jsonschema

        found["jsonschema"] = jsonschema.Draft202012Validator(schema).is_valid
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=10_294)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        write_run(Path(temporary), {"L0": documents(arguments.records, 0, seed=0)["L0"]}, "model", seed=0)
        (path,) = Path(temporary).rglob("*_samples_*.jsonl")
        lines = path.read_bytes().splitlines()
        records = [json.loads(line)["medqdeg"] for line in lines]
        jobs: dict[str, Callable[[], object]] = {
            name: lambda check=check: [check(record) for record in records] for name, check in checks().items()
        }
        jobs["parsing a line"] = lambda: [json.loads(line) for line in lines]
        jobs["reading the file"] = lambda: read_samples(path)
        best = dict.fromkeys(jobs, float("inf"))
        for _ in range(ROUNDS):
            for name, job in jobs.items():
                begin = time.process_time()
                job()
                best[name] = min(best[name], time.process_time() - begin)
    print(f"{len(records)} records, processor time, best of {ROUNDS} rounds in turn")
    for name, seconds in best.items():
        ratio = seconds / best["jsonschema-rs"]
        print(f"{name}: {seconds / len(records) * 1e6:.1f} µs, {ratio:.1f} times jsonschema-rs")


if __name__ == "__main__":
    main()
