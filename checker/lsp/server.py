"""What the server answers to which message."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, BinaryIO

from lsprotocol import types
from pygls.lsp.server import LanguageServer

import tttdit
from tttdit.checker.checking import Checker
from tttdit.checker.lsp import actions, diagnostics
from tttdit.checker.lsp.analysis import Analysis
from tttdit.checker.lsp.completion import TRIGGERS, completions
from tttdit.checker.lsp.hover import hover
from tttdit.checker.lsp.positions import Positions
from tttdit.checker.lsp.session import OpenFile, Session
from tttdit.core.plugin.references import one_line

if TYPE_CHECKING:
    from pygls.server import ServerErrors

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """A language server that says what goes wrong inside it on standard error, where it interrupts nobody."""

    def __init__(self, checker: Checker) -> None:
        super().__init__("tttdit", tttdit.__version__, types.TextDocumentSyncKind.Full)
        self.session = Session(checker, self.show)
        self.was_shut_down = False

    def show(self, file: OpenFile, found: Analysis | Exception | None) -> None:
        """Shows what was found in a file."""
        if isinstance(found, Exception):
            message = f"this should not have happened: {one_line(found)}; please report it, with the file"
            shown = [diagnostics.failure(message, Positions(file.text, self.workspace.position_codec))]
        elif found is None:
            shown = []
        else:
            shown = diagnostics.diagnostics(found.report, file.uri, self.positions(found))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(file.uri, shown, file.version))

    def positions(self, known: Analysis) -> Positions:
        """The places of a file's text, in the encoding that was agreed upon with the editor."""
        return Positions(known.document.text, self.workspace.position_codec)

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """A mistake of ours, or a message that is none."""
        logger.error("%s: %s", source.__name__, error, exc_info=error)


def serve(checker: Checker, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Talks to an editor until it says goodbye, or is gone; the exit code that the protocol asks for."""
    server = make_server(checker)
    server.start_io(stdin, stdout)
    server.session.end()
    return 0 if server.was_shut_down else 1


def make_server(checker: Checker) -> Server:
    """The server, which checks with the plugins and settings of this checker."""
    server = Server(checker)
    _follow_files(server, server.session)
    _answer(server, server.session)

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        server.was_shut_down = True
        server.session.end()

    return server


def _follow_files(server: Server, session: Session) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        session.opened(document.uri, document.version, document.text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        session.changed(document.uri, document.version, server.workspace.get_text_document(document.uri).source)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        session.closed(uri)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def _answer(server: Server, session: Session) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        return await session.ask(
            params.text_document.uri, lambda _, known: hover(known, params.position, server.positions(known))
        )

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(actions.KINDS))
    async def asked_for_actions(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        return await session.ask(
            params.text_document.uri,
            lambda file, known: actions.actions(known, file.uri, params, server.positions(known)),
        )

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=TRIGGERS))
    async def asked_for_completions(params: types.CompletionParams) -> list[types.CompletionItem] | None:
        return await session.ask(
            params.text_document.uri,
            lambda _, known: completions(known, params.position, server.positions(known)),
        )
