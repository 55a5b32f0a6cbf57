"""Text in Markdown."""

from __future__ import annotations

import pytest

from tttdit.checker.lsp.markdown import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("parallelism.tp_sharding is 2, and a rank's memory", "parallelism.tp_sharding is 2, and a rank's memory"),
        ("KeyError: '_key_'", "KeyError: '\\_key\\_'"),
        (
            "[a](https://x) <b> `c` *d* ~~e~~ \\ &lt;",
            "\\[a\\](https://x) \\<b\\> \\`c\\` \\*d\\* \\~\\~e\\~\\~ \\\\ \\&lt;",
        ),
        ("\x1b[31m", "\\\\x1b\\[31m"),
    ],
)
def test_plain_text_is_nothing_else(text: str, shown: str) -> None:
    assert plain(text) == shown
