"""How text and frames make up a sequence: S segments of T text tokens, and F frames of h w tokens."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Geometry:
    """Counts of tokens. Raises ValueError where segments and frames do not fit together.

    Segment i is text i and `attention_frames` frames; the first segment has `prefix_frames` more, in front, so F = attention_frames S +
    prefix_frames. Window i of the local attention is text i and that segment's frames with the `prefix_frames` before them.
    """

    latent_frames: int  # F
    grid_height: int  # h
    grid_width: int  # w
    segments: int  # S
    tokens_per_segment: int  # T
    attention_frames: int
    prefix_frames: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.prefix_frames <= self.attention_frames:
            raise ValueError(
                f"prefix_frames = {self.prefix_frames} must lie between 1 and attention_frames = {self.attention_frames}"
            )
        covered = self.attention_frames * self.segments + self.prefix_frames
        if self.latent_frames != covered:
            raise ValueError(
                f"{self.segments} segments of {self.attention_frames} frames and {self.prefix_frames} in front "
                f"cover {covered} latent frames, not {self.latent_frames}"
            )

    @property
    def frame(self) -> int:
        """Tokens of a frame, h w."""
        return self.grid_height * self.grid_width

    @property
    def text(self) -> int:
        """Text tokens of the sequence, S T."""
        return self.segments * self.tokens_per_segment

    @property
    def video(self) -> int:
        """Video tokens of the sequence, V = F h w."""
        return self.latent_frames * self.frame

    @property
    def length(self) -> int:
        """Tokens of the sequence, L = V + S T."""
        return self.video + self.text

    @property
    def prefix(self) -> int:
        """Video tokens that the first segment has more than the others."""
        return self.prefix_frames * self.frame

    @property
    def body(self) -> int:
        """Video tokens of every segment, the first one's prefix left out."""
        return self.attention_frames * self.frame
