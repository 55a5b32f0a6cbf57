"""What a start on 256 ranks takes of one host process: the check, the model on meta, and spreading it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CURRICULUM = Path(__file__).parents[3] / "examples" / "curriculum.toml"
SECONDS, BYTES = 60, 8 * 10**9

START = """
import json, resource, sys, time
began = time.perf_counter()
import tttdit
report = tttdit.check(sys.argv[1])
assert report.ok and all(stage.memory or stage.unpredicted for file in report.files for stage in file.stages)
(stage,) = (each for each in tttdit.load_spec(sys.argv[1]).stages if each.name == "63s")
checked = time.perf_counter() - began
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.proof.rank import pretended_ranks
from tttdit.core.runtime.sharding import mesh_of, shard
with pretended_ranks(256):
    model = build_stage(stage, device="meta")
    shard(model, stage, mesh_of(stage.parallelism, "cpu"))
    mine = sum(each.to_local().numel() for each in model.parameters())
    whole = sum(each.numel() for each in model.parameters())
spent = time.perf_counter() - began
highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"checked": checked, "seconds": spent, "bytes": highest, "mine": mine, "whole": whole}))
"""


def test_the_model_of_the_longest_stage_is_spread_in_less_than_a_minute(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START, str(CURRICULUM)],
        env={**os.environ, "TTTDIT_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["seconds"] < SECONDS
    assert found["bytes"] < BYTES
    assert found["whole"] == 7_230_178_848
    assert found["mine"] < found["whole"] / 4  # of 16 shards, 4 tensor-parallel ranks share out what belongs to heads
