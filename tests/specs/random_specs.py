"""Random specs, small enough to be trained in a moment."""

from pathlib import Path

from attrs import frozen
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
MOST_MINI_BATCHES = 24  # a scan takes a step for each
# A mixer that did not come with tttdit.
STRANGER = ROOT / "examples" / "plugin-linear-attention" / "tttdit_linear_attention"


@st.composite
def mixers(draw, batches):
    """The table of a mixer, and what `[memory]` says about its regions; `batches` are the mini-batches that the sequence allows."""
    name = draw(st.sampled_from(["ttt-mlp", "ttt-linear", "sliding-window", "none"]))
    if name == "none":
        return {"plugin": name}, {}
    if name == "sliding-window":
        return {"plugin": name, "neighbours": draw(st.integers(0, 2))}, {"sliding_window": draw(st.booleans())}
    mixer = {
        "plugin": name,
        "mini_batch_size": draw(st.sampled_from(batches)),
        "learning_rates": draw(st.sampled_from(["token", "upstream"])),
    }
    return mixer, {"scan_checkpoint_group_size": draw(st.integers(0, 5))}


@st.composite
def right_specs(draw, of_mixers=mixers):
    """The tables of a spec whose sizes fit each other; `of_mixers` draws its mixer."""
    number = st.integers
    attention, segments, tokens = draw(number(1, 3)), draw(number(1, 3)), draw(number(1, 10))
    prefix = draw(number(1, attention))
    rows, columns = draw(number(1, 3)), draw(number(1, 3))
    time, space, patch = draw(st.sampled_from([4, 1, 2, 3])), draw(st.sampled_from([8, 1, 2])), draw(number(1, 3))
    frames = attention * segments + prefix
    length = frames * rows * columns + segments * tokens
    heads = draw(number(1, 3))
    batches = [b for b in range(1, length + 1) if length % b == 0 and length // b <= MOST_MINI_BATCHES]
    video = {"fps": draw(st.sampled_from([1, 2, 4, 5, 16])), "height": rows * patch * space}
    video["width"] = columns * patch * space
    if draw(st.booleans()):
        video["pixel_frames"] = (frames - 1) * time + 1
    else:
        video["seconds"] = (frames - 1) * time / video["fps"]
    mixer, regions = draw(of_mixers(batches))
    return {
        "video": video,
        "text": {
            "segments": draw(st.sampled_from([segments, "auto"])),
            "tokens_per_segment": draw(st.sampled_from([tokens, "auto"])),
            "max_tokens": draw(number(tokens, tokens + 10)),
            "width": draw(number(1, 24)),
        },
        "codec": {"time_compression": time, "space_compression": space, "channels": draw(number(1, 4))},
        "model": {
            "plugin": "ttt-dit",
            "width": heads * 16 * draw(number(1, 2)),
            "heads": heads,
            "layers": draw(st.sampled_from([1, 1, 2, 3])),
            "timestep_width": draw(number(1, 12)),
            "patch_size": patch,
            "attention_frames": attention,
            "prefix_frames": prefix,
        },
        "model.mixer": mixer,
        "memory": {
            "transformer_checkpoint_layer_group_size": draw(number(0, 1)),
            **{key: draw(st.booleans()) for key in ("attention", "reverse_ssm", "mlp", "seq_modeling_block")},
            **regions,
        },
        "parallelism": {"dp_sharding": draw(number(1, 2))},
        "training": {},
    }


# -- what memory depends on


@frozen
class MemoryCase:
    """A spec, and the type that its model is trained in."""

    toml: str
    dtype: str


@st.composite
def strangers(draw, batches):
    """The table of the mixer that did not come with tttdit, and of its region."""
    mixer = {"plugin": "linear-attention", "chunk": draw(st.sampled_from(batches))}
    return mixer, {"linear_attention": draw(st.booleans())}


@st.composite
def memory_cases(draw):
    """Right specs with more layers, samples, adapters and every setting of `[memory]`, also groups that do not come out even."""
    spec = draw(right_specs(draw(st.sampled_from([mixers, mixers, mixers, strangers]))))
    layers = draw(st.one_of(st.integers(1, 6), st.integers(7, 20)))
    spec["model"] |= {"layers": layers, "adapter": draw(st.sampled_from(["sft", "qkvo", "none"]))}
    spec["memory"] |= {
        "transformer_checkpoint_layer_group_size": draw(st.integers(0, layers)),
        "forward_ssm": draw(st.booleans()),
    }
    if draw(st.integers(0, 3)) == 0:
        spec["memory"] |= {"plugin": "selective", **draw(of_some_layers(spec["memory"], layers))}
    spec["training"] |= {"global_batch_size": spec["parallelism"]["dp_sharding"] * draw(st.integers(1, 3))}
    return MemoryCase(toml(spec), draw(st.sampled_from(["float32", "bfloat16"])))


@st.composite
def of_some_layers(draw, memory, layers):
    """Some of the switches, and that of groups, with layers in place of true."""
    switches = [key for key, value in memory.items() if isinstance(value, bool)]
    chosen = draw(st.lists(st.sampled_from([*switches, "layer_group"]), min_size=1, unique=True))
    some = st.lists(st.integers(0, layers - 1), min_size=1, unique=True)
    return {key: ", ".join(map(str, draw(some))) for key in chosen}


# -- as text


def toml(spec):
    """The spec as a person would write it."""
    lines = ['name = "random"']
    for table, keys in spec.items():
        lines += ["", f"[{table}]", *(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in keys.items())]
    return "\n".join(lines).replace("True", "true").replace("False", "false") + "\n"
