"""From a job to the spec that it is: which key of a job is which key of a spec.

What the job leaves out has that code's default, which is stated, for a spec has its own. Where it has a TODO, or a value that cannot be,
something stands in for it, and is marked as assumed.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from attrs import evolve, field, frozen

from tttdit.core.spec import keys
from tttdit.core.spec.keys import Path
from tttdit.core.spec.stage_names import usable_name
from tttdit.core.spec.wording import show
from tttdit.plugins.ttt_video_dit import sizes
from tttdit.plugins.ttt_video_dit.job import Job

# What stands in for keys without a default.
_STAND_INS = {"size": "5B", "ssm_layer": "ttt_mlp", "video_length": "3sec"}

# Of the scan's groups; a larger one than this has all mini-batches of any video, which a spec says with 0.
_LARGEST_GROUP = 100_000

_FLAGS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block", "shard_transformer_inputs")

# Keys of which the name alone is another.
_TRAINING = {
    "training.global_batch_size": "training.global_batch_size",
    "training.grad_accum_steps": "training.grad_accum_steps",
    "training.steps": "training.steps",
    "training.warmup_steps": "training.warmup_steps",
    "training.gradient_clipping_norm": "optimizer.gradient_clipping_norm",
    "training.seed": "job.seed",
    "optimizer.lr": "optimizer.lr",
    "optimizer.lr_mixer": "optimizer.lr_ssm",
    "optimizer.lr_end": "optimizer.lr_end",
    "optimizer.schedule": "optimizer.lr_schedule",
    "optimizer.mixer_schedule": "optimizer.lr_ssm_schedule",
}
_MESH = {
    "parallelism.dp_replicate": "parallelism.dp_replicate",
    "parallelism.dp_sharding": "parallelism.dp_sharding",
    "parallelism.tp_sharding": "parallelism.tp_sharding",
}
_GUIDANCE = {"sampling.guidance_scale": "guider.scale", "sampling.guidance_exponent": "guider.exp"}


@frozen
class Mapped:
    """The spec's values, the places in the file that they come from, the file's words for its keys, the keys with stand-ins, and what
    found no place in it.
    """

    values: dict[str, Any] = field(factory=dict)
    origins: dict[Path, Path] = field(factory=dict)
    words: dict[str, str] = field(factory=dict)
    assumed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def as_spec(job: Job) -> Mapped | None:
    """The job as a spec; None where it does not say which model, which sequence layer, or how long its videos are."""
    job = _with_stand_ins(job)
    model, latent = job.model, _latent_frames(job)
    if model.size is None or model.ssm_layer is None or latent is None:
        return None
    writing = _Writing(job)
    writing.video(latent)
    writing.text(latent, sizes.TEXT_WIDTHS[model.size], "t5" if model.size == "5B" else None)
    writing.model()
    if not job.samples:
        writing.data()
    writing.memory()
    if not job.samples:
        writing.each(_TRAINING)
    writing.each(_MESH)
    dtype = "eval.dtype" if job.samples else "parallelism.fsdp_unsharded_dtype"
    writing.put("parallelism.unsharded_dtype", writing.value(dtype), dtype)
    writing.checkpoint()
    if job.samples:
        writing.sampling()
    return Mapped(writing.values, writing.origins, writing.words, frozenset(writing.assumed), writing.notes())


def name(job: Job) -> str:
    """What the spec is called: as the run is, or else as the file is."""
    is_named = job.states("job.exp_name") and "job.exp_name" not in job.doubtful
    return usable_name(job.job.exp_name if is_named else None, PurePath(job.document.path).stem)


def _with_stand_ins(job: Job) -> Job:
    """The job with something for each key of `[model]` that it states, but not so that one could believe it."""
    doubted = {name: value for name, value in _STAND_INS.items() if f"model.{name}" in job.doubtful}
    if _sampled_frames(job) is not None:  # which say how long the videos are
        doubted.pop("video_length", None)
    return evolve(job, model=job.model.model_copy(update=doubted)) if doubted else job


def _latent_frames(job: Job) -> int | None:
    """The F of the model's video length, or else of what is sampled."""
    if job.model.video_length is not None:
        return sizes.latent_frames(job.model.video_length)
    return _sampled_frames(job)


def _sampled_frames(job: Job) -> int | None:
    """The F that a sampling job draws; one that has no segments is none, and one that is not stated where the length should be."""
    is_told = job.states("eval.sampling_num_frames") or not job.states("model.video_length")
    if not job.samples or not is_told or "eval.sampling_num_frames" in job.doubtful:
        return None
    latent = job.eval.sampling_num_frames
    return latent if sizes.segments(latent) is not None else None


class _Writing:
    """Puts one value after the other into a spec, and remembers where each comes from."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.values: dict[str, Any] = {}
        self.origins: dict[Path, Path] = {}
        self.words: dict[str, str] = {}
        self.assumed: set[str] = set()
        self.taken: set[str] = {"model.name", "optimizer.name"}  # of which there is one
        if name(job) == job.job.exp_name:
            self.taken.add("job.exp_name")

    def put(self, key: str, value: object, source: str, *, is_word: bool = True) -> None:
        """A value that comes from a key of the job. `is_word`: where the job's key is the spec's by another name."""
        self.state(key, value)
        if source in self.job.places:
            self.origins[keys.split(key)] = self.job.places[source]
        if is_word:
            self.words[key] = self.job.key(source)
        is_assumed = source in self.job.doubtful and value != "auto"
        if is_assumed:
            self.assumed.add(key)
        if is_assumed or source not in self.job.doubtful or self.is_placeholder(source):
            self.taken.add(source)

    def state(self, key: str, value: object) -> None:
        """A value that goes without saying in a job."""
        *tables, name = keys.split(key)
        table = self.values
        for part in tables:
            table = table.setdefault(str(part), {})
        table[str(name)] = value

    def is_placeholder(self, key: str) -> bool:
        """Whether a TODO stands in the place of its value."""
        return self.job.places.get(key) in self.job.document.placeholders

    def value(self, key: str) -> Any:
        """What the job says, or its default."""
        section, _, name = key.partition(".")
        return getattr(getattr(self.job, section), name)

    def each(self, sources: dict[str, str]) -> None:
        """Keys whose values are the same; those for which the job has neither a value nor a known default are left out."""
        for key, source in sources.items():
            value = self.value(source)
            if value is not None:
                self.put(key, value, source)

    def video(self, latent: int) -> None:
        """Its length by the model's word for it; in frames where it is to be played at another speed than the data's."""
        job, length = self.job, self.job.model.video_length
        source = "eval.sampling_num_frames" if length is None else "model.video_length"
        fps = job.eval.sampling_fps if job.samples else sizes.FPS
        if length is not None and fps == sizes.FPS:
            self.put("video.seconds", sizes.seconds(length), source)
        else:
            self.put("video.pixel_frames", sizes.pixel_frames(latent), source)
        self.put("video.fps", fps, "eval.sampling_fps", is_word=job.samples)
        self.put("video.height", job.eval.image_height, "eval.image_height", is_word=job.samples)
        self.put("video.width", job.eval.image_width, "eval.image_width", is_word=job.samples)
        if length is not None:
            self.taken.add("eval.sampling_num_frames")  # it says the same, or a rule says that it does not

    def text(self, latent: int, width: int, encoder: str | None) -> None:
        """One segment for every 12 latent frames; a training job's texts are as long as its data has them."""
        segments = sizes.segments(latent)
        assert segments is not None
        source = "eval.sampling_num_frames" if self.job.model.video_length is None else "model.video_length"
        is_told = source not in self.job.doubtful
        self.put("text.segments", segments if is_told else "auto", source, is_word=False)
        if self.job.samples:
            is_long = "eval.txt_maxlen" not in self.job.doubtful
            self.put("text.tokens_per_segment", self.job.eval.txt_maxlen if is_long else "auto", "eval.txt_maxlen")
        else:
            self.put("text.tokens_per_segment", "auto", source, is_word=False)
        if encoder is not None:
            self.state("text.encoder", encoder)
        self.put("text.width", width, "model.size", is_word=False)

    def model(self) -> None:
        """The sizes as a preset; the sequence layer as a mixer, with learning rates as its checkpoints were trained."""
        job, model = self.job, self.job.model
        assert model.ssm_layer is not None
        self.state("model.plugin", "ttt-dit")
        self.put("model.preset", model.size, "model.size")
        self.put("model.adapter", job.training.adapter_method, "training.adapter_method")
        self.put("model.norm_eps", model.norm_eps, "model.norm_eps")
        self.put("model.mixer.plugin", model.ssm_layer.replace("_", "-"), "model.ssm_layer")
        self.put("model.mixer.mini_batch_size", model.mini_batch_size, "model.mini_batch_size")
        self.put("model.mixer.base_learning_rate", model.ttt_base_lr, "model.ttt_base_lr")
        self.state("model.mixer.learning_rates", "upstream")
        if job.states("eval.latent_channels"):
            self.put("codec.channels", job.eval.latent_channels, "eval.latent_channels")

    def data(self) -> None:
        """The lists of samples, and the folder that they are in; a TODO is left for whoever knows."""
        lists, folder = "training.jsonl_paths", "training.dataset_path"
        if self._path(lists) is None:
            return
        self.state("data.plugin", "precomputed")
        for key, source in (("data.manifest", lists), ("data.folder", folder)):
            value = self._path(source)
            if value is not None:
                self.put(key, value, source)

    def memory(self) -> None:
        """The regions, which have the same names."""
        layers, scan = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"
        remat = self.job.remat
        self.put(f"memory.{layers}", remat.transformer_checkpoint_layer_group_size, f"remat.{layers}")
        groups = remat.scan_checkpoint_group_size
        self.put(f"memory.{scan}", groups if groups <= _LARGEST_GROUP else 0, f"remat.{scan}")
        for flag in _FLAGS:
            key = f"remat.{flag}"
            if self.job.states(key):
                self.put(f"memory.{flag}", self.value(key), key)

    def checkpoint(self) -> None:
        """Weights to start from, and how often the run is saved."""
        weights = self._path("checkpoint.init_state_dir")
        if weights is not None:
            self.put("checkpoint.init_from", weights, "checkpoint.init_state_dir")
        self.words["checkpoint.init_from"] = self.job.key("checkpoint.init_state_dir")
        if not self.job.samples:
            self.each({"checkpoint.interval": "checkpoint.interval"})

    def sampling(self) -> None:
        """Steps and guidance; steps that no sampler takes have been reported."""
        steps = self.job.eval.num_denoising_steps
        self.state("sampling.plugin", "dpmpp-2m-sde")
        if steps < sizes.NOISE_LEVELS:
            self.put("sampling.steps", steps, "eval.num_denoising_steps")
        self.each(_GUIDANCE)

    def notes(self) -> tuple[str, ...]:
        """What the file says and a spec has no place for."""
        left = [key for key in self.job.places if key not in self.taken]
        return tuple(f"{keys.join(self.job.places[key])} = {self._shown(key)}" for key in left)

    def _path(self, key: str) -> str | None:
        """A path, or what stands for a TODO in its place."""
        value = self._raw(key) if key in self.job.places else None
        return value if isinstance(value, str) and value else None

    def _shown(self, key: str) -> str:
        return self.job.written(key) if self.is_placeholder(key) else show(self._raw(key))

    def _raw(self, key: str) -> object:
        value: Any = self.job.document.values
        for part in self.job.places[key]:
            value = value[part]
        return value
