"""Sizes that a job names with a word, or not at all: those of its videos' lengths, of its models, of the noise."""

from __future__ import annotations

FPS = 16  # of the videos that the lengths are lengths of
SECONDS_A_SEGMENT = 3
FRAMES_A_LATENT = 4  # of the video VAE, which keeps the first frame alone

# Pixels of a frame, and the tokens' grid that the models are built with.
HEIGHT, WIDTH = 480, 720
GRID_HEIGHT, GRID_WIDTH = 30, 45
LATENT_CHANNELS = 16

NOISE_LEVELS = 1000

LAYERS = {"5B": 42, "debug": 6}
TEXT_WIDTHS = {"5B": 4096, "debug": 512}


def seconds(video_length: str) -> int:
    """9, for "9sec"."""
    return int(video_length.removesuffix("sec"))


def latent_frames(video_length: str) -> int:
    """F = (fps s + 1 - 1) / 4 + 1: 37, for "9sec"."""
    return seconds(video_length) * FPS // FRAMES_A_LATENT + 1


def pixel_frames(latent: int) -> int:
    """N = 4 (F - 1) + 1."""
    return FRAMES_A_LATENT * (latent - 1) + 1


def segments(latent: int) -> int | None:
    """The S of F = 12 S + 1; None for frames that are not of this form."""
    frames = SECONDS_A_SEGMENT * FPS // FRAMES_A_LATENT
    count, rest = divmod(latent - 1, frames)
    return count if rest == 0 and count > 0 else None
