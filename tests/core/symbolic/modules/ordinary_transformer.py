"""Diffusion transformers as people write them, with the calls that they use: what the symbolic world has to know."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class Frequencies(nn.Module):
    """Sines and cosines of a timestep, then a small MLP."""

    def __init__(self, width, frequencies=32):
        super().__init__()
        self.frequencies = frequencies
        self.mlp = nn.Sequential(nn.Linear(frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t):
        half = self.frequencies // 2
        rates = torch.exp(-math.log(10_000) * torch.arange(0, half, dtype=torch.float32) / half).to(device=t.device)
        angles = t[:, None].float() * rates[None]
        waves = torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)
        if self.frequencies % 2:
            waves = torch.cat([waves, torch.zeros_like(waves[:, :1])], dim=-1)
        return self.mlp(waves)


class RootMeanSquare(nn.Module):
    """RMSNorm written out, in float32 whatever comes in."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        kind = x.dtype
        x = x.float()
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return (x * self.gain).to(kind)


class SelfAttention(nn.Module):
    """One projection for q, k and v; halves turned against each other for RoPE; fused or written-out attention."""

    def __init__(self, width, heads, fused):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.scale = (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.norm_q, self.norm_k = RootMeanSquare(width // heads), RootMeanSquare(width // heads)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    @staticmethod
    def turn(x, cos, sin):
        left, right = x.chunk(2, dim=-1)
        return x * cos + torch.cat((-right, left), dim=-1) * sin

    def forward(self, x, cos, sin):
        B, N, C = x.shape
        q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = self.turn(self.norm_q(q), cos, sin), self.turn(self.norm_k(k), cos, sin)
        if self.fused:
            x = F.scaled_dot_product_attention(q, k, v, dropout_p=0.0)
        else:
            x = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.out(x.transpose(1, 2).reshape(B, N, C))


class CrossAttention(nn.Module):
    """Queries from the picture, keys and values from the text, with a mask of the text's padding."""

    def __init__(self, width, text_width, heads):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias=False)
        self.kv = nn.Linear(text_width, 2 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x, text, mask):
        split = (self.heads, -1)
        q = self.q(x).unflatten(-1, split).transpose(1, 2)
        k, v = (part.unflatten(-1, split).transpose(1, 2) for part in self.kv(text).chunk(2, -1))
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :] > 0)
        return self.out(x.transpose(1, 2).flatten(2))


class GatedMLP(nn.Module):
    """Two branches, one of them a gate."""

    def __init__(self, width):
        super().__init__()
        self.both = nn.Linear(width, 4 * width)
        self.back = nn.Linear(2 * width, width)

    def forward(self, x):
        gate, value = self.both(x).chunk(2, -1)
        return self.back(F.silu(gate) * value)


class Block(nn.Module):
    """adaLN before self-attention and MLP, cross-attention between them."""

    def __init__(self, width, text_width, heads, fused):
        super().__init__()
        self.first = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.second = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = SelfAttention(width, heads, fused)
        self.cross = CrossAttention(width, text_width, heads)
        self.mlp = GatedMLP(width)
        self.table = nn.Parameter(torch.randn(6, width) / width**0.5)

    def forward(self, x, condition, text, mask, cos, sin):
        shift, scale, gate, shift2, scale2, gate2 = (self.table[None] + condition.unsqueeze(1)).unbind(1)
        x = x + gate[:, None] * self.attention(self.first(x) * (1 + scale[:, None]) + shift[:, None], cos, sin)
        x = x + self.cross(x, text, mask)
        return x + gate2.unsqueeze(1) * self.mlp(self.second(x) * (1 + scale2.unsqueeze(1)) + shift2.unsqueeze(1))


class Transformer(nn.Module):
    """Latents [N, C, H, W], timesteps [N], labels [N], text [N, T, X], its mask [N, T] -> [N, 2 C, H, W]."""

    def __init__(self, side=8, patch=2, channels=4, width=48, text_width=20, layers=2, heads=4, classes=10, fused=True):
        super().__init__()
        self.patch, self.channels = patch, 2 * channels
        self.embed = nn.Conv2d(channels, width, kernel_size=patch, stride=patch)
        self.time, self.label = Frequencies(width), nn.Embedding(classes + 1, width)
        tokens = (side // patch) ** 2
        self.position = nn.Parameter(torch.zeros(1, tokens, width), requires_grad=False)
        head = width // heads
        angles = torch.outer(torch.arange(tokens).float(), 1.0 / (10_000 ** (torch.arange(0, head, 2).float() / head)))
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos()[None, None], persistent=False)
        self.register_buffer("sin", angles.sin()[None, None], persistent=False)
        self.blocks = nn.ModuleList([Block(width, text_width, heads, fused) for _ in range(layers)])
        self.norm = nn.GroupNorm(4, width)
        self.last = nn.Linear(width, patch * patch * self.channels)
        self.apply(self.start)
        weight = self.embed.weight.data
        nn.init.xavier_uniform_(weight.view([weight.shape[0], -1]))
        with torch.no_grad():
            self.position.copy_(torch.randn(self.position.shape))
            self.last.weight.zero_()
            self.last.bias.data.fill_(0.0)

    @staticmethod
    def start(module):
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0)

    def forward(self, x: Tensor, t: Tensor, label: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2) + self.position
        condition = self.time(t) + self.label(label)
        condition = condition - condition.mean(dim=0, keepdim=True)
        for block in self.blocks:
            x = block(x, condition, text, mask, self.cos, self.sin)
        x = self.last(self.norm(x.transpose(1, 2)).transpose(1, 2))
        side, p = int(x.shape[1] ** 0.5), self.patch
        assert side * side == x.shape[1]
        x = torch.einsum("nhwpqc->nchpwq", x.reshape(shape=(x.shape[0], side, side, p, p, self.channels)))
        return x.reshape(shape=(x.shape[0], self.channels, side * p, side * p))
