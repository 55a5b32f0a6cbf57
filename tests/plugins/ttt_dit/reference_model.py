"""The whole model once more, from its written description alone: slow, literal, in float64, shared with nothing.

Plain functions over a state dict, for one sample at a time and with one row a token: loops over frames, windows, heads and
mini-batches, and lists of token numbers where the model moves tokens. What the inner loop of test-time training descends is written
as a loss, and autograd derives its gradient.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Params = dict[str, Tensor]


@dataclass(frozen=True)
class Sizes:
    """What a state dict does not say. A segment adds `attention` frames, a window shows `prefix` frames more."""

    mixer: str  # "ttt-linear" or "ttt-mlp"
    heads: int
    layers: int
    segments: int
    tokens: int  # of text, in a segment
    rows: int  # of tokens, in a frame
    columns: int
    patch: int
    mini_batch: int
    base_rate: float
    rates: str  # "token" or "upstream"
    attention: int = 12
    prefix: int = 1
    norm_eps: float = 1e-6
    ttt_norm_eps: float = 1e-6
    theta: float = 10000.0

    @property
    def frames(self) -> int:
        return self.attention * self.segments + self.prefix

    @property
    def frame(self) -> int:
        return self.rows * self.columns


def predict(params: Params, sizes: Sizes, video: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
    """video [B, F, C, p h, p w], text [B, S, T, X], timestep [B]: the prediction, of the video's shape.

    Parameters need gradients: the inner loop's are taken along the way.
    """
    samples = zip(video, text, timestep.tolist(), strict=True)
    return torch.stack([_sample(params, sizes, *sample) for sample in samples])


def _sample(params: Params, sizes: Sizes, video: Tensor, text: Tensor, timestep: int) -> Tensor:
    time = _timestep(params, timestep)
    tokens = _patches(params, sizes, video)
    words = _linear(params, "patch_embedding.text_proj", torch.cat(list(text)))
    for index in range(sizes.layers):
        tokens, words = _layer(params, f"layers.{index}", sizes, tokens, words, time)
    tokens = _norm(params, "transformer_norm", tokens, sizes.norm_eps)
    shift, scale = _linear(params, "final_layer.adaLN_modulation.1", _silu(time)).chunk(2)
    tokens = _norm(params, "final_layer.norm", tokens, sizes.norm_eps) * (1 + scale) + shift
    return _picture(_linear(params, "final_layer.linear", tokens), sizes, video.shape[1])


# -- ends


def _timestep(params: Params, timestep: int) -> Tensor:
    half = params["time_embed.0.weight"].shape[1] // 2
    angles = torch.tensor([timestep * 10000 ** (-i / half) for i in range(half)], dtype=torch.float64)
    features = torch.cat((angles.cos(), angles.sin()))
    return _linear(params, "time_embed.2", _silu(_linear(params, "time_embed.0", features)))


def _patches(params: Params, sizes: Sizes, video: Tensor) -> Tensor:
    weight, bias = params["patch_embedding.vid_proj.weight"], params["patch_embedding.vid_proj.bias"]
    p, tokens = sizes.patch, []
    for frame in video:
        for row in range(sizes.rows):
            for column in range(sizes.columns):
                patch = frame[:, row * p : (row + 1) * p, column * p : (column + 1) * p]
                tokens.append((weight * patch).sum((1, 2, 3)) + bias)
    return torch.stack(tokens)


def _picture(tokens: Tensor, sizes: Sizes, channels: int) -> Tensor:
    p, frames, numbers = sizes.patch, [], iter(tokens)
    for _ in range(sizes.frames):
        rows = []
        for _ in range(sizes.rows):
            rows.append(torch.cat([next(numbers).view(channels, p, p) for _ in range(sizes.columns)], 2))
        frames.append(torch.cat(rows, 1))
    return torch.stack(frames)


# -- a layer


def _layer(params: Params, name: str, sizes: Sizes, video: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    gates, (video_in, text_in) = _modulated(params, name, "seq", sizes, video, text, time)
    video_out, text_out = _sequence_block(params, f"{name}.seq_modeling_block", sizes, video_in, text_in)
    video, text = video + gates[0] * video_out, text + gates[1] * text_out

    gates, (video_in, text_in) = _modulated(params, name, "mlp", sizes, video, text, time)
    video_out, text_out = (_mlp(params, f"{name}.mlp", x) for x in (video_in, text_in))
    return video + gates[0] * video_out, text + gates[1] * text_out


def _modulated(params, name, block, sizes, video, text, time):
    """The gates of video and text, and both after norm and modulation."""
    six = _linear(params, f"{name}.pre_{block}_adaLN_modulation.1", _silu(time)).chunk(6)
    streams = []
    for x, (shift, scale, _) in ((video, six[:3]), (text, six[3:])):
        streams.append(_norm(params, f"{name}.pre_{block}_layernorm", x, sizes.norm_eps) * (1 + scale) + shift)
    return (six[2], six[5]), streams


def _mlp(params: Params, name: str, x: Tensor) -> Tensor:
    return _linear(params, f"{name}.layer2", _gelu(_linear(params, f"{name}.layer1", x)))


def _sequence_block(params: Params, name: str, sizes: Sizes, video: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
    video, text = _attention(params, name, sizes, video, text)

    new_video, new_text = _mix(params, f"{name}.ssm.ttt", sizes, video, text)
    video = video + _gate(params, f"{name}.forward_ssm_gating_video") * new_video
    text = text + _gate(params, f"{name}.forward_ssm_gating_text") * new_text

    backwards = list(reversed(range(len(video))))
    segments = [range(i * sizes.tokens, (i + 1) * sizes.tokens) for i in range(sizes.segments)]
    turned = [token for segment in reversed(segments) for token in segment]
    new_video, new_text = _mix(params, f"{name}.ssm.ttt", sizes, video[backwards], text[turned])
    video = video + _gate(params, f"{name}.backward_ssm_gating_video") * new_video[backwards]
    text = text + _gate(params, f"{name}.backward_ssm_gating_text") * new_text[turned]
    return video, text


def _gate(params: Params, name: str) -> Tensor:
    return params[f"{name}.gating_alpha"].tanh()


# -- local attention


def _attention(params: Params, name: str, sizes: Sizes, video: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
    texts = []
    seen_by_windows: list[list[Tensor]] = [[] for _ in video]
    for i in range(sizes.segments):
        first = sizes.attention * i
        tokens = range(first * sizes.frame, (first + sizes.attention + sizes.prefix) * sizes.frame)
        window = torch.cat((text[i * sizes.tokens : (i + 1) * sizes.tokens], video[list(tokens)]))
        out = _attend(params, name, sizes, window)
        texts.append(out[: sizes.tokens])
        for token, row in zip(tokens, out[sizes.tokens :], strict=True):
            seen_by_windows[token].append(row)
    return torch.stack([sum(rows) / len(rows) for rows in seen_by_windows]), torch.cat(texts)


def _attend(params: Params, name: str, sizes: Sizes, x: Tensor) -> Tensor:
    q, k, v = (_linear(params, f"{name}.{each}", x) for each in "qkv")
    heads = []
    for columns in _heads(sizes, x):
        queries = _norm(params, f"{name}.q_norm", q[:, columns], sizes.norm_eps)
        keys = _norm(params, f"{name}.k_norm", k[:, columns], sizes.norm_eps)
        queries, keys = _turned(sizes, queries, sizes.tokens), _turned(sizes, keys, sizes.tokens)
        scores = queries @ keys.T / math.sqrt(queries.shape[1])
        weights = (scores - scores.amax(1, keepdim=True)).exp()
        heads.append(weights / weights.sum(1, keepdim=True) @ v[:, columns])
    return _linear(params, f"{name}.o", torch.cat(heads, 1))


def _heads(sizes: Sizes, x: Tensor) -> list[slice]:
    width = x.shape[1] // sizes.heads
    return [slice(head * width, (head + 1) * width) for head in range(sizes.heads)]


def _turned(sizes: Sizes, x: Tensor, text: int) -> Tensor:
    """x [tokens, K]: the first rows, which are text, stand still; the others, whole frames, are turned by their place."""
    width, angles = x.shape[1], []
    for token in range(len(x) - text):
        frame, place = divmod(token, sizes.frame)
        row, column = divmod(place, sizes.columns)
        axes = ((frame, width // 4), (row, 3 * width // 8), (column, 3 * width // 8))
        angles.append([at * sizes.theta ** (-2 * j / m) for at, m in axes for j in range(m // 2)])
    turns = torch.tensor(angles, dtype=torch.float64)
    cos, sin = turns.cos(), turns.sin()
    even, odd = x[text:, 0::2], x[text:, 1::2]
    pairs = torch.stack((even * cos - odd * sin, odd * cos + even * sin), 2)
    return torch.cat((x[:text], pairs.flatten(1)))


# -- test-time training


def _mix(params: Params, name: str, sizes: Sizes, video: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
    x = torch.cat((text, video))
    order = _segment_order(sizes)
    q, k, v = (_linear(params, f"{name}.{each}", x) for each in ("wq", "wk", "wv"))
    heads = []
    for head, columns in enumerate(_heads(sizes, x)):
        queries, keys = (_turned(sizes, _unit(each[:, columns]), len(text)) for each in (q, k))
        values = _target(params, name, head, keys, v[:, columns])
        rates = _rates(params, name, sizes, head, x, order)
        heads.append(_scan(params, name, sizes, head, queries[order], keys[order], values[order], rates))
    out = _norm(params, f"{name}.post_norm", torch.cat(heads, 1), sizes.norm_eps)
    out = _linear(params, f"{name}.wo", out)
    out = out[[order.index(token) for token in range(len(x))]]
    return out[len(text) :], out[: len(text)]


def _segment_order(sizes: Sizes) -> list[int]:
    """The tokens of text-then-video order, segment by segment: each text, and the frames that it has for itself."""
    order, frame = [], 0
    for i in range(sizes.segments):
        frames = sizes.attention + sizes.prefix if i == 0 else sizes.attention
        order += range(i * sizes.tokens, (i + 1) * sizes.tokens)
        first = sizes.segments * sizes.tokens + frame * sizes.frame
        order += range(first, first + frames * sizes.frame)
        frame += frames
    return order


def _unit(x: Tensor) -> Tensor:
    return x / x.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12)


def _target(params: Params, name: str, head: int, k: Tensor, v: Tensor) -> Tensor:
    u = v - k
    u = u - u.mean(1, keepdim=True)
    u = u / ((u.square().sum(1, keepdim=True) / (u.shape[1] - 1)).sqrt() + 1e-8)
    return params[f"{name}.ttt_norm_weight"][head] * u + params[f"{name}.ttt_norm_bias"][head] + k


def _rates(params: Params, name: str, sizes: Sizes, head: int, x: Tensor, order: list[int]) -> list[Tensor]:
    """For each mini-batch in segment order, its b learning rates."""
    weight, bias = params[f"{name}.learnable_ttt_lr_weight"][head, 0], params[f"{name}.learnable_ttt_lr_bias"][head, 0]
    width, b = x.shape[1] // sizes.heads, sizes.mini_batch
    rates = sizes.base_rate / width / (1 + (-(x @ weight + bias)).exp()) / b
    if sizes.rates == "token":
        return list(rates[order].split(b))
    rows = [mini_batch for mini_batch in rates.split(b) for _ in range(b)]
    rows = [rows[token] for token in order]
    return [rows[last] for last in range(b - 1, len(rows), b)]


def _scan(
    params: Params, name: str, sizes: Sizes, head: int, q: Tensor, k: Tensor, v: Tensor, rates: list[Tensor]
) -> Tensor:
    step = _mlp_step if sizes.mixer == "ttt-mlp" else _linear_step
    names = ("W1", "b1", "W2", "b2") if sizes.mixer == "ttt-mlp" else ("W1", "b1")
    fast = [params[f"{name}.{each}"][head] for each in names]
    gamma, beta = params[f"{name}.ttt_norm_weight"][head], params[f"{name}.ttt_norm_bias"][head]

    def norm(z: Tensor) -> Tensor:
        return _normed(z, sizes.ttt_norm_eps) * gamma + beta

    outs = []
    for mini_batch, eta in enumerate(rates):
        tokens = slice(mini_batch * sizes.mini_batch, (mini_batch + 1) * sizes.mini_batch)
        fast, out = step(fast, norm, q[tokens], k[tokens], v[tokens], torch.diag(eta))
        outs.append(out)
    return torch.cat(outs)


def _linear_step(fast, norm, q, k, v, eta):
    W1, b1 = fast
    g = _descent(norm, k @ W1 + b1, v - k)
    W1, b1 = W1 - k.T @ eta @ g, b1 - (eta @ g).sum(0)
    return [W1, b1], q + norm(q @ W1 + b1)


def _mlp_step(fast, norm, q, k, v, eta):
    W1, b1, W2, b2 = fast
    Z1 = k @ W1 + b1
    X2 = _gelu(Z1)
    g2 = _descent(norm, X2 @ W2 + b2, v - k)
    (slope,) = torch.autograd.grad(X2.sum(), Z1, create_graph=True)
    g1 = (g2 @ W2.T) * slope
    W1, b1 = W1 - k.T @ eta @ g1, b1 - (eta @ g1).sum(0)
    W2, b2 = W2 - X2.T @ eta @ g2, b2 - (eta @ g2).sum(0)
    return [W1, b1, W2, b2], q + norm(_gelu(q @ W1 + b1) @ W2 + b2)


def _descent(norm, Z: Tensor, target: Tensor) -> Tensor:
    """The gradient at Z of what the inner loop makes small."""
    loss = (norm(Z) - target).square().sum() / 2
    return torch.autograd.grad(loss, Z, create_graph=True)[0]


# -- functions of one line


def _linear(params: Params, name: str, x: Tensor) -> Tensor:
    return x @ params[f"{name}.weight"].T + params[f"{name}.bias"]


def _norm(params: Params, name: str, x: Tensor, eps: float) -> Tensor:
    return _normed(x, eps) * params[f"{name}.weight"] + params[f"{name}.bias"]


def _normed(x: Tensor, eps: float) -> Tensor:
    x = x - x.mean(-1, keepdim=True)
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def _silu(x: Tensor) -> Tensor:
    return x / (1 + (-x).exp())


def _gelu(x: Tensor) -> Tensor:
    return x / 2 * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())
