"""The folder with a T5's files, looked at without torch."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.safetensors import parse
from tttdit.core.spec.tables import TextTable

_LONGEST = 1_000_000  # bytes of a config.json


@frozen
class T5Folder:
    """Where the model and its tokenizer lie: in the folder that the spec names or, of a pipeline that diffusers has saved, in two there."""

    model: Path
    tokenizer: Path

    @classmethod
    def of(cls, text: TextTable, folder: Path) -> T5Folder:
        """`folder` is the spec's. Raises UsageError where none is stated, and where the one that is has no model's config."""
        if text.encoder_folder is None:
            raise UsageError(
                "text.encoder_folder is not stated: the folder with T5's config.json, weights and tokenizer"
            )
        named = folder / text.encoder_folder
        model = named / "text_encoder"
        found = cls(model, named / "tokenizer") if model.is_dir() else cls(named, named)
        if not found._config.is_file():
            raise UsageError(f"text.encoder_folder: {found.model} has no config.json: it is no folder of a T5")
        return found

    @property
    def width(self) -> int:
        """Of the embeddings. Raises UsageError where the config does not say it."""
        try:
            with self._config.open("rb") as file:
                content = file.read(_LONGEST + 1)
        except OSError as error:
            raise UsageError(f"{self._config} cannot be read: {error.strerror or error}") from None
        if len(content) > _LONGEST:
            raise UsageError(f"{self._config} has more than {_LONGEST:,} bytes: it is no config of a model")
        width = parse(self._config, content, "the config").get("d_model")
        if type(width) is not int or width < 1:
            raise UsageError(f"{self._config} states no d_model, the width of a T5's embeddings")
        return width

    @property
    def _config(self) -> Path:
        return self.model / "config.json"
