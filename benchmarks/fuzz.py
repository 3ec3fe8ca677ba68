"""Feed the application's C parsers with mutated bytes under libFuzzer: files, console lines, records of the store.

    python benchmarks/fuzz.py [--minutes 10]

Needs clang with its sanitizers (apt-get install clang libclang-rt-14-dev). The target is
tests/firmware/fuzz/application.c, which tests/firmware/test_fuzz.py runs for a second with mutations of its own. The
last line is one JSON object; of the edges many are checks of sanitizers that hold, regions are those of the sources.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "firmware"))

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "firmware" / "fuzz"))

from inputs import DICTIONARY, write_seeds
from test_fuzz import compile_harness, small_project

FLAGS = ("-std=gnu11", "-O2", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")


def main() -> int:
    """Fuzz for the time that is asked for; exit status 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="tinysearch-fuzz-") as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        (folder / "words").write_text("".join(f'"{word}"\n' for word in DICTIONARY))
        write_seeds(folder / "seeds")
        compile_harness(small_project(folder / "p"), folder / "fuzz", "clang", *FLAGS)
        limits = (
            f"-max_total_time={60 * minutes:.0f}",
            "-max_len=8192",
            "-print_final_stats=1",
            f"-dict={folder / 'words'}",
        )
        done = subprocess.run(
            [folder / "fuzz", *limits, "-detect_leaks=0", "corpus", "seeds"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
        counted = re.search(r"\((\d+) inline 8-bit counters\)", done.stderr)
        covered = re.findall(r"cov: (\d+)", done.stderr)
        print(done.stderr[-4000:] if done.returncode else "no fault found")
        kept = len(list((folder / "corpus").iterdir()))
        reached = regions(folder)
    result = {"faults": int(done.returncode != 0), "runs": int(runs.group(1)) if runs else None, "corpus": kept}
    edges = {"edges": int(covered[-1]) if covered else None, "of_edges": int(counted.group(1)) if counted else None}
    print(json.dumps({**result, **edges, **reached, "minutes": minutes}))
    return int(done.returncode != 0)


def regions(folder: Path) -> dict[str, int]:
    """Regions of the application's sources that the corpus reaches, and how many there are; empty without llvm-cov."""
    profdata, cov = (next(iter(sorted(Path("/usr/bin").glob(f"llvm-{tool}*"))), None) for tool in ("profdata", "cov"))
    if profdata is None or cov is None:
        return {}
    covered = ("-std=gnu11", "-O1", "-fsanitize=fuzzer", "-fprofile-instr-generate", "-fcoverage-mapping")
    compile_harness(folder / "p", folder / "covered", "clang", *covered)
    environment = {**os.environ, "LLVM_PROFILE_FILE": "raw"}
    command = [folder / "covered", "-runs=0", "-detect_leaks=0", "corpus", "seeds"]
    subprocess.run(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL, check=True)
    subprocess.run([profdata, "merge", "-o", "merged", "raw"], cwd=folder, check=True)
    export = [cov, "export", "-summary-only", "-instr-profile=merged", "covered"]
    text = subprocess.run(export, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    total = json.loads(text)["data"][0]["totals"]["regions"]
    return {"regions": total["covered"], "of_regions": total["count"]}


if __name__ == "__main__":
    sys.exit(main())
