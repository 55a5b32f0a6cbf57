"""An editor, as far as the protocol goes: it starts the server, sends messages and waits for answers, never for long."""

from __future__ import annotations

import json
import queue
import subprocess
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

TTTDIT = Path(sysconfig.get_path("scripts")) / "tttdit"

# Seconds after which an answer that has not come will not come.
PATIENCE = 30


class Editor:
    """Talks to a `tttdit lsp` over its standard input and output."""

    def __init__(self, *arguments: str, encodings: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [TTTDIT, "lsp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.passed_by: list[dict[str, Any]] = []  # what came while something else was waited for
        self.files: list[str] = []  # that are open
        self.stray = b""  # what the server wrote that is no message
        self.complaints = b""
        self.asked = 0
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._read_complaints)]
        for thread in self._threads:
            thread.start()
        general = {} if encodings is None else {"general": {"positionEncodings": encodings}}
        self.capabilities = self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": general})[
            "capabilities"
        ]
        self.tell("initialized", {})

    # -- messages

    def tell(self, method: str, params: Any) -> None:
        """Sends a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def send_request(self, method: str, params: Any) -> int:
        """Sends a request without waiting; its number."""
        self.asked += 1
        self._send({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params})
        return self.asked

    def answer(self, number: int) -> dict[str, Any]:
        """The whole answer to a request."""
        return self.wait_for(lambda message: message.get("id") == number and "method" not in message)

    def ask(self, method: str, params: Any) -> Any:
        """Sends a request; the result."""
        answer = self.answer(self.send_request(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def wait_for(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that fits."""
        for message in self.passed_by:
            if fits(message):
                self.passed_by.remove(message)
                return message
        while True:
            try:
                message = self.received.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"no answer; came: {self.passed_by}, {self.complaints.decode()}") from None
            if fits(message):
                return message
            self.passed_by.append(message)

    # -- files

    def open(self, text: str, uri: str = "file:///specs/spec.toml") -> None:
        """Opens a file with this text, which need not be on a disk."""
        self.files.append(uri)
        self.tell(
            "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "toml", "version": 1, "text": text}}
        )

    def change(self, text: str, version: int, uri: str = "file:///specs/spec.toml") -> None:
        """Puts another text in the place of what it has."""
        document = {"uri": uri, "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def close(self, uri: str = "file:///specs/spec.toml") -> None:
        """Closes a file."""
        if uri in self.files:
            self.files.remove(uri)
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    def diagnostics(self, version: int | None = 1, uri: str = "file:///specs/spec.toml") -> list[dict[str, Any]]:
        """What is shown of a version of a file, once it is; None: of a file that was closed."""

        def fits(message: dict[str, Any]) -> bool:
            params = message.get("params") or {}
            is_published = message.get("method") == "textDocument/publishDiagnostics"
            return is_published and params["uri"] == uri and params.get("version") == version

        shown: list[dict[str, Any]] = self.wait_for(fits)["params"]["diagnostics"]
        return shown

    # -- the end

    def leave(self) -> int:
        """Says goodbye; the server's exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once it is there."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return code

    def kill(self) -> None:
        """Ends the server in any case."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline():
            if line.startswith(b"Content-Length: "):
                length = int(line.partition(b":")[2])
            elif line == b"\r\n" and length:
                self.received.put(json.loads(stream.read(length)))
                length = 0
            elif not line.startswith(b"Content-Type: "):
                self.stray += line

    def _read_complaints(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.complaints += line


def start(text: str, words: str, encoding: str = "utf-16") -> dict[str, int]:
    """The position at which these words begin in the text, in an encoding's code units."""
    before = text[: text.index(words)]
    line = before.rpartition("\n")[2]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    return {
        "line": before.count("\n"),
        "character": len(line.encode(f"{encoding}-le" if width > 1 else encoding)) // width,
    }
