"""The text encoder `t5` against transformers' own, a small one with random weights and a vocabulary of a few words."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tttdit.core.errors import UsageError
from tttdit.core.spec.tables import TextTable
from tttdit.plugins.t5.module import T5Encoder

WIDTH = 16
WORDS = ["▁a", "▁dog", "▁runs", "▁start", "▁end", "▁scene", "▁", *"abcdefghijklmnopqrstuvwxyz"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """The tokenizer, the model, and the folder whose `t5` holds both."""
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = T5Tokenizer(vocab=[*special, *((word, -float(at)) for at, word in enumerate(WORDS))], extra_ids=0)
    torch.manual_seed(0)
    model = T5EncoderModel(
        T5Config(vocab_size=len(tokenizer), d_model=WIDTH, d_kv=4, d_ff=32, num_layers=2, num_heads=4)
    ).eval()
    folder = tmp_path_factory.mktemp("weights")
    tokenizer.save_pretrained(folder / "t5")
    model.save_pretrained(folder / "t5")
    return tokenizer, model, folder


@pytest.fixture(scope="module")
def encoder(saved: tuple[Any, Any, Path]) -> T5Encoder:
    return made(saved[2])


def made(folder: Path, **keys: Any) -> T5Encoder:
    table = {"segments": 1, "tokens_per_segment": 8, "width": WIDTH, "encoder": "t5", "encoder_folder": "t5", **keys}
    return T5Encoder(TextTable(**table), folder, torch.device("cpu"))


def test_the_numbers_are_transformers_padding_included(saved: tuple[Any, Any, Path], encoder: T5Encoder) -> None:
    """All 8 tokens see each other, without a mask, as diffusers has it."""
    tokenizer, model, _ = saved
    ids = [*tokenizer("a dog runs").input_ids, 0, 0, 0, 0]
    with torch.no_grad():
        expected = model(torch.tensor([ids])).last_hidden_state[0]
    encoded = encoder.encode("a dog runs", 8)
    assert (encoded.tokens, encoded.cut) == (4, 0)
    assert torch.equal(encoded.embeddings, expected)


def test_a_text_that_is_too_long_keeps_its_end_token(saved: tuple[Any, Any, Path], encoder: T5Encoder) -> None:
    encoded = encoder.encode("a dog runs a dog runs", 4)
    assert (encoded.tokens, encoded.cut) == (4, 3)
    assert torch.equal(encoded.embeddings, encoder.encode("a dog runs", 4).embeddings)


def test_an_empty_text_is_its_end_token(encoder: T5Encoder) -> None:
    encoded = encoder.encode("", 3)
    assert (encoded.tokens, encoded.cut, encoded.embeddings.shape) == (1, 0, (3, WIDTH))


def test_scene_tokens_are_one_token_each_and_begin_as_their_words(
    saved: tuple[Any, Any, Path], encoder: T5Encoder
) -> None:
    tokenizer, model, _ = saved
    assert encoder.encode("<start_scene> a dog <end_scene>", 8).tokens == 5
    before, after = (each.get_input_embeddings().weight for each in (model, encoder._model))
    assert after.shape == (len(tokenizer) + 2, WIDTH)
    assert torch.equal(after[: len(tokenizer)], before)
    for row, words in ((after[-2], "start scene"), (after[-1], "end scene")):
        assert torch.equal(row, before[tokenizer(words, add_special_tokens=False).input_ids].mean(0))


def test_the_same_folder_gives_the_same_bits(saved: tuple[Any, Any, Path], encoder: T5Encoder) -> None:
    text = "<start_scene> a dog runs"
    assert torch.equal(made(saved[2]).encode(text, 8).embeddings, encoder.encode(text, 8).embeddings)


def test_scene_tokens_that_are_there_already_are_left_as_they_are(
    saved: tuple[Any, Any, Path], encoder: T5Encoder, tmp_path: Path
) -> None:
    with torch.no_grad():
        encoder_with = made(saved[2])
        encoder_with._model.get_input_embeddings().weight[-1] = 7.0
    encoder_with._tokenizer.save_pretrained(tmp_path / "t5")
    encoder_with._model.save_pretrained(tmp_path / "t5")
    again = made(tmp_path)
    assert bool((again._model.get_input_embeddings().weight[-1] == 7).all())
    assert len(again._tokenizer) == len(encoder._tokenizer)


def test_rows_to_spare_are_used_first(saved: tuple[Any, Any, Path], tmp_path: Path) -> None:
    """T5's table has more rows than its vocabulary has tokens."""
    from transformers import T5EncoderModel

    tokenizer, _, folder = saved
    model = T5EncoderModel.from_pretrained(folder / "t5")
    model.resize_token_embeddings(64, mean_resizing=False)
    model.save_pretrained(tmp_path / "t5")
    tokenizer.save_pretrained(tmp_path / "t5")
    encoder = made(tmp_path)
    assert encoder._model.get_input_embeddings().num_embeddings == 64
    text = "<end_scene> a dog"
    assert torch.equal(encoder.encode(text, 6).embeddings, made(folder).encode(text, 6).embeddings)


def test_a_folder_as_cogvideox_is_published(saved: tuple[Any, Any, Path], encoder: T5Encoder, tmp_path: Path) -> None:
    tokenizer, model, _ = saved
    tokenizer.save_pretrained(tmp_path / "pipeline" / "tokenizer")
    model.save_pretrained(tmp_path / "pipeline" / "text_encoder")
    found = made(tmp_path, encoder_folder="pipeline").encode("a dog", 4)
    assert torch.equal(found.embeddings, encoder.encode("a dog", 4).embeddings)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"encoder_folder": None},
            "text.encoder_folder is not stated: the folder with T5's config.json, weights and tokenizer",
        ),
        (
            {"encoder_folder": "nowhere"},
            "text.encoder_folder: {folder}/nowhere has no config.json: it is no folder of a T5",
        ),
        ({"width": 4096}, "text.width is 4,096, and the T5 in {folder}/t5 gives 16 numbers a token"),
    ],
)
def test_folders_that_do_not_fit(keys: dict[str, Any], message: str, saved: tuple[Any, Any, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        made(saved[2], **keys)
    assert str(caught.value) == message.format(folder=saved[2])


def test_a_folder_with_something_else(tmp_path: Path) -> None:
    (tmp_path / "t5").mkdir()
    (tmp_path / "t5" / "config.json").write_text('{"d_model": 16}')
    with pytest.raises(UsageError, match=r"^text\.encoder_folder: .*/t5 cannot be read as a T5: \w+: ") as caught:
        made(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_transformers(saved: tuple[Any, Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError) as caught:
        made(saved[2])
    assert str(caught.value) == 'text.encoder = "t5" needs transformers: pip install "tttdit[real]"'
