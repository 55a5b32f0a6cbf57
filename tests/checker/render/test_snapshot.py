"""The snapshot as PyTorch's own tools for it read it."""

import pickle
import pickletools
from pathlib import Path

import pytest

from tttdit.checker.render.snapshot import snapshot, write_snapshot


def running(trace, before):
    """The bytes that live after each allocation and release."""
    now, totals = before, [before]
    for event in trace:
        if event["action"] == "alloc":
            now += event["size"]
        elif event["action"] == "free_completed":
            now -= event["size"]
        totals.append(now)
    return totals


@pytest.mark.parametrize("runtime", ["plain", "fsdp2"])
def test_pytorchs_viewer_reads_it(make_views, runtime):
    viewer = pytest.importorskip("torch.cuda._memory_viz")
    (view,) = make_views(runtime)
    write_snapshot("memory.pickle", "spec.toml", view)
    data = pickle.loads(Path("memory.pickle").read_bytes())
    assert "Active Memory Timeline" in viewer.trace_plot(data)
    assert "Allocator State History" in viewer.segment_plot(data)
    told = viewer.memory(data, format_flamegraph=lambda text: text)
    assert "(parameter)" in told
    if runtime == "plain":
        assert "(gradients)" in told or ", gradients)" in told, "gradients live at the end"
    assert f"{len(data['device_traces'][0])} entries" in viewer.trace(data)
    sizes = sum(int(line.rpartition(" ")[2]) for line in told.splitlines() if "active_allocated" in line)
    assert sizes == sum(segment["allocated_size"] for segment in data["segments"])


@pytest.mark.parametrize("runtime", ["plain", "fsdp2"])
def test_it_says_what_the_tape_and_the_prediction_say(make_views, runtime):
    (view,) = make_views(runtime)
    made = snapshot("spec.toml", view)
    (trace,) = made["device_traces"]
    assert max(running(trace, 0)) == max(view.tape.high)
    assert sum(segment["total_size"] for segment in made["segments"]) == view.prediction.reserved_bytes
    assert [event["time_us"] for event in trace] == sorted(event["time_us"] for event in trace)


@pytest.mark.parametrize("runtime", ["plain", "fsdp2"])
def test_live_blocks_do_not_overlap(make_views, runtime):
    (view,) = make_views(runtime)
    made = snapshot("spec.toml", view)
    for segment in made["segments"]:
        at = segment["address"]
        for block in segment["blocks"]:
            assert block["address"] == at
            at += block["size"]
        assert at == segment["address"] + segment["total_size"]
    live = {}
    for event in made["device_traces"][0]:
        start, end = event["addr"], event["addr"] + event["size"]
        if event["action"] == "alloc":
            assert all(end <= other or start >= stop for other, stop in live.items())
            live[start] = end
        elif event["action"] == "free_requested":
            assert live.pop(start) == end
    at_the_end = {
        block["address"]: block["requested_size"]
        for segment in made["segments"]
        for block in segment["blocks"]
        if block["state"] == "active_allocated"
    }
    assert {start: end - start for start, end in live.items()}.items() <= at_the_end.items()


def test_frames_are_lines_of_the_module_and_of_the_spec(make_views):
    (view,) = make_views()
    frames = [
        event["frames"] for event in snapshot("spec.toml", view)["device_traces"][0] if event["action"] == "alloc"
    ]
    scans = [some for some in frames if some[0]["name"].startswith("ttt_mlp_scan of layers.0.")]
    assert scans[0][0]["filename"].endswith("operators.py")
    assert scans[0][0]["line"] > 0
    text = Path("spec.toml").read_text(encoding="utf-8").splitlines()
    named = {frame["name"]: frame for some in frames for frame in some[1:]}
    assert {"model.width", "video.seconds", "memory.attention"} <= set(named)
    for key, frame in named.items():
        assert frame["filename"] == "spec.toml"
        assert text[frame["line"] - 1].startswith(key.rpartition(".")[2]), key


def test_it_is_a_pickle_of_protocol_4_that_needs_no_classes(make_views):
    (view,) = make_views()
    write_snapshot("memory.pickle", "spec.toml", view)
    operations = list(pickletools.genops(Path("memory.pickle").read_bytes()))
    assert operations[0][1] == 4
    assert not {"GLOBAL", "STACK_GLOBAL", "REDUCE"} & {operation.name for operation, _, _ in operations}
    first = Path("memory.pickle").read_bytes()
    write_snapshot("memory.pickle", "spec.toml", view)
    assert Path("memory.pickle").read_bytes() == first
