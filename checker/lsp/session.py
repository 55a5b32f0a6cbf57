"""The files that are open in an editor, each checked again shortly after it has changed.

Checks run one at a time on a thread beside the one that talks to the editor, so that typing never waits. A check whose text has changed
meanwhile is passed over if it has not begun, and what it found is not shown if it has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from attrs import define, field
from pygls.uris import to_fs_path

from tttdit.checker.checking import Checker
from tttdit.checker.lsp.analysis import Analysis, analyse

# Seconds without a keystroke before a check begins.
DELAY = 0.2

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


@define(eq=False)
class OpenFile:
    """A file as the editor has it, which may not be how it was saved, or saved at all."""

    uri: str
    version: int
    text: str
    analysis: asyncio.Future[Analysis | None] | None = None  # of this version, once somebody has asked for it
    waiting: asyncio.Task[None] | None = None  # to show it

    @property
    def path(self) -> str:
        """What findings call it; of a file that is in no file system its whole URI."""
        return to_fs_path(self.uri) or self.uri


@define(eq=False)
class Session:
    """The open files, and who checks them.

    `show(file, found)` shows what was found: an analysis, None of what is no spec, or an exception, which is a mistake of ours.
    """

    checker: Checker
    show: Callable[[OpenFile, Analysis | Exception | None], None]
    _files: dict[str, OpenFile] = field(factory=dict)
    _worker: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, "check"))

    def opened(self, uri: str, version: int, text: str) -> None:
        """A file was opened: it is checked at once."""
        self.closed(uri)
        file = self._files[uri] = OpenFile(uri, version, text)
        self._check(file, after=0)

    def changed(self, uri: str, version: int, text: str) -> None:
        """A file has another text: it is checked when its writer pauses."""
        file = self._files.get(uri)
        if file is None:
            return
        file.version, file.text, file.analysis = version, text, None
        self._check(file, after=DELAY)

    def closed(self, uri: str) -> None:
        """A file was closed, and no longer concerns us."""
        file = self._files.pop(uri, None)
        if file is not None and file.waiting is not None:
            file.waiting.cancel()

    def end(self) -> None:
        """No more checks; one that runs is not waited for."""
        for uri in [*self._files]:
            self.closed(uri)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def ask(self, uri: str, question: Callable[[OpenFile, Analysis], Answer]) -> Answer | None:
        """A question about a file, answered on the thread of the checks.

        None for a file that is not open, is no spec, or changes meanwhile.
        """
        file = self._files.get(uri)
        if file is None:
            return None
        version, analysis = file.version, await self._analysis(file)
        if analysis is None or file.version != version:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._worker, question, file, analysis)

    def _check(self, file: OpenFile, after: float) -> None:
        if file.waiting is not None:
            file.waiting.cancel()
        file.waiting = asyncio.get_running_loop().create_task(self._show_after(file, after))

    async def _show_after(self, file: OpenFile, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            found: Analysis | Exception | None = await self._analysis(file)
        except Exception as error:
            logger.exception("the check of %s failed", file.uri)
            found = error
        self.show(file, found)

    async def _analysis(self, file: OpenFile) -> Analysis | None:
        """What is known of the file's present text, found out once for all who ask."""
        if file.analysis is None:
            file.analysis = asyncio.get_running_loop().run_in_executor(self._worker, self._analyse, file, file.version)
        return await asyncio.shield(file.analysis)

    def _analyse(self, file: OpenFile, version: int) -> Analysis | None:
        return analyse(self.checker, file.text, file.path) if file.version == version else None
