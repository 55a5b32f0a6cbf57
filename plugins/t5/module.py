"""Embeddings of T5, as transformers has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.text import EncodedText
from tttdit.core.spec.tables import TextTable
from tttdit.plugins.t5.folder import T5Folder

# What is added to the vocabulary, and the words whose embeddings' mean each begins with.
SCENE_TOKENS = {"<start_scene>": "start scene", "<end_scene>": "end scene"}


class T5Encoder:
    """The encoder, in float32.

    Texts are padded with the tokenizer's own padding, and all tokens, the padding too, see each other: without an attention mask, as
    diffusers encodes texts for CogVideoX (`_get_t5_prompt_embeds` in diffusers/pipelines/cogvideo/pipeline_cogvideox.py).
    """

    def __init__(self, table: TextTable, folder: Path, device: torch.device) -> None:
        """Raises UsageError without transformers, and where the folder does not hold a T5 of `text.width`."""
        self._tokenizer, model = _load(table, folder)
        self._begin(device, model.to(device))

    @classmethod
    def without_weights(cls, table: TextTable, folder: Path, device: torch.device) -> T5Encoder:
        """The same with weights that nobody has read and without a tokenizer, on fake tensors or meta: for whoever asks what it takes.

        Raises UsageError as the other does, where the folder has no config.json.
        """
        encoder = cls.__new__(cls)
        encoder._begin(device, _unread(table, folder))
        return encoder

    def _begin(self, device: torch.device, model: Any) -> None:
        self._device = device
        self._model = model.eval().requires_grad_(False)

    @property
    def weights(self) -> list[Tensor]:
        """Parameters and buffers."""
        return [*self._model.parameters(), *self._model.buffers()]

    @torch.no_grad()
    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings [1, tokens, X] of the vocabulary's numbers [1, tokens]."""
        found: Tensor = self._model(ids.to(self._device)).last_hidden_state
        return found

    @torch.no_grad()
    def encode(self, text: str, length: int) -> EncodedText:
        """The embeddings [length, X] of a text; of one that is too long, the end token stays and what stands before it goes."""
        count = len(self._tokenizer(text, verbose=False).input_ids)
        tokens = self._tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        embeddings = self.embed(tokens.input_ids)
        return EncodedText(embeddings[0].float().cpu(), tokens=min(count, length), cut=max(count - length, 0))


def _unread(table: TextTable, folder: Path) -> Any:
    try:
        from transformers import T5Config, T5EncoderModel
    except ModuleNotFoundError:
        raise UsageError('text.encoder = "t5" needs transformers: pip install "tttdit[real]"') from None
    found = T5Folder.of(table, folder)
    found.width  # noqa: B018 - raises where there is no config
    return T5EncoderModel(T5Config.from_pretrained(found.model, local_files_only=True))


def _load(table: TextTable, folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the model, which knows the scene tokens."""
    try:
        from transformers import AutoTokenizer, T5EncoderModel
    except ModuleNotFoundError:
        raise UsageError('text.encoder = "t5" needs transformers: pip install "tttdit[real]"') from None
    found = T5Folder.of(table, folder)
    if found.width != table.width:
        raise UsageError(
            f"text.width is {table.width:,}, and the T5 in {found.model} gives {found.width:,} numbers a token"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(found.tokenizer, local_files_only=True)
        model = T5EncoderModel.from_pretrained(found.model, dtype=torch.float32, local_files_only=True)
    except Exception as error:
        raise UsageError(f"text.encoder_folder: {found.model} cannot be read as a T5: {one_line(error)}") from error
    _add_scene_tokens(tokenizer, model)
    return tokenizer, model


def _add_scene_tokens(tokenizer: Any, model: Any) -> None:
    """Those that the vocabulary lacks, each as the mean of its words' embeddings: it says roughly what they say, and nothing is drawn."""
    known = tokenizer.get_vocab()
    added = {token: words for token, words in SCENE_TOKENS.items() if token not in known}
    begun = {
        token: _mean(model, tokenizer(words, add_special_tokens=False).input_ids) for token, words in added.items()
    }
    tokenizer.add_tokens([*added], special_tokens=True)
    table = model.get_input_embeddings()
    if len(tokenizer) > table.num_embeddings:  # a vocabulary's table may have rows to spare
        table = model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for token, embedding in begun.items():
            table.weight[tokenizer.convert_tokens_to_ids(token)] = embedding


def _mean(model: Any, tokens: list[int]) -> Tensor:
    embeddings: Tensor = model.get_input_embeddings().weight.detach()[tokens]
    return embeddings.mean(0)
