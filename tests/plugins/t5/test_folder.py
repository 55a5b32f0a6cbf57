"""The folder with a T5's files, whatever lies in it."""

from pathlib import Path

import pytest

from tttdit.core.errors import UsageError
from tttdit.core.spec.tables import TextTable
from tttdit.plugins.t5.folder import T5Folder

TEXT = TextTable(segments=1, tokens_per_segment=8, width=16, encoder="t5", encoder_folder="t5")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "{config}: the config is no JSON: "),
        (b"\xff", "{config}: the config is no JSON: "),
        (b"[" * 100_000, "{config}: the config is no JSON: "),
        (b"[]", "{config}: the config is no JSON object"),
        (b"{}", "{config} states no d_model, the width of a T5's embeddings"),
        (b'{"d_model": true}', "{config} states no d_model, the width of a T5's embeddings"),
        (b'{"d_model": 1, "d_model": 2}', '{config}: the config has "d_model" twice'),
        (b" " * 1_000_001, "{config} has more than 1,000,000 bytes: it is no config of a model"),
    ],
)
def test_configs_that_say_no_width(content: bytes, message: str, tmp_path: Path) -> None:
    config = tmp_path / "t5" / "config.json"
    config.parent.mkdir()
    config.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        T5Folder.of(TEXT, tmp_path).width  # noqa: B018
    assert str(caught.value).startswith(message.format(config=config))


def test_of_a_published_pipeline_both_folders(tmp_path: Path) -> None:
    (tmp_path / "t5" / "text_encoder").mkdir(parents=True)
    (tmp_path / "t5" / "text_encoder" / "config.json").write_text('{"d_model": 16}')
    found = T5Folder.of(TEXT, tmp_path)
    assert (found.model, found.tokenizer) == (tmp_path / "t5" / "text_encoder", tmp_path / "t5" / "tokenizer")
    assert found.width == 16
