"""Specs and job files with something done to them: to their bytes, their tokens, their values or their structure."""

from __future__ import annotations

import re

from hypothesis import strategies as st

HOSTILE = [
    "\"__import__('os').system('touch hostile')\"",
    '"../../x"',
    '"/etc/passwd"',
    '"\\u001b[2J\\u001b]0;title\\u0007"',
    '"\\u202e\\u2066x"',
    '"${HOME} $(id) `id` %s %n {0} {{x}}"',
    '"\\u0000"',
    '""',
    "'''\n\n'''",
    '"' + "x" * 5000 + '"',
    '"::error file=x::y%0A"',
    '"<script>alert(1)</script>"',
    '"auto"',
    '"none"',
    '"con"',
]
ODD = [
    *["0", "-1", "1", "2", "3", "17", "63", "65", "4096", "1000000", "100000000", "9223372036854775807", "-9223372036854775808"],
    *["9223372036854775808", "1e6", "1e308", "1e-320", "-0.0", "inf", "-inf", "nan", "0.1", "0x7fffffff", "0b1", "1_000"],
    *["true", "false", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[]", "{}", "[[]]", "[1, [2, {a = 3}]]", "{a = {b = {c = 1}}}"],
    *["TODO", "FIXME: later", "<path>", "None", "True", "16px", ".5", "5.", "007", ""],
]  # fmt: skip
KEYS = [
    "seconds",
    "plugin",
    "preset",
    "name",
    "stage",
    "mixer",
    "heads",
    "tokens_per_segment",
    "segments",
    "video",
    "model",
    "a.b.c",
    '"a b"',
    "''",
]
HEADERS = [
    "[video]",
    "[text]",
    "[model]",
    "[model.mixer]",
    "[[stage]]",
    "[memory]",
    "[hardware]",
    "[job]",
    "[remat]",
    "[eval]",
    "[x]",
    "[[video]]",
]

_VALUE = re.compile(r"(?m)^([^#\n=\[]*=[ \t]*)([^\n#]*)")
_NUMBER = re.compile(r"(?m)^[^#\n=\[]*=[ \t]*([0-9]{1,7})[ \t]*$")
_TOKEN = re.compile(r"[A-Za-z0-9_.+-]+|\"[^\"\n]*\"|\S")


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """One of the originals after one to three mutations, most of which leave it TOML."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 3))):
        data = draw(st.sampled_from([_bytes, _tokens, _numbers, _numbers, _values, _lines, _structure]))(draw, data)
    return data


def _bytes(draw: st.DrawFn, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 30)))
    return data[:start] + draw(st.binary(max_size=12)) + data[end:]


def _tokens(draw: st.DrawFn, data: bytes) -> bytes:
    """Two tokens change places, or one stands for another."""
    text = _text(data)
    found = list(_TOKEN.finditer(text))
    if len(found) < 2:
        return data
    places = st.integers(0, len(found) - 1)
    one, other = sorted((found[draw(places)], found[draw(places)]), key=lambda match: match.start())
    if one == other:
        return data
    second = one[0] if draw(st.booleans()) else other[0]
    return "".join(
        [text[: one.start()], other[0], text[one.end() : other.start()], second, text[other.end() :]]
    ).encode()


def _values(draw: st.DrawFn, data: bytes) -> bytes:
    text = _text(data)
    found = list(_VALUE.finditer(text))
    if not found:
        return data
    match = draw(st.sampled_from(found))
    value = draw(
        st.sampled_from(HOSTILE)
        | st.sampled_from(ODD)
        | st.integers(-(2**70), 2**70).map(str)
        | st.integers(0, 200).map(str)
        | st.floats().map(str)
    )
    return (text[: match.start(2)] + value + text[match.end(2) :]).encode()


def _numbers(draw: st.DrawFn, data: bytes) -> bytes:
    """Another number of about the same size, which may well be right."""
    text = _text(data)
    found = list(_NUMBER.finditer(text))
    if not found:
        return data
    match = draw(st.sampled_from(found))
    number = draw(st.integers(0, 2 * int(match[1]) + 4))
    return (text[: match.start(1)] + str(number) + text[match.end(1) :]).encode()


def _lines(draw: st.DrawFn, data: bytes) -> bytes:
    """Lines go, come twice, or stand elsewhere."""
    lines = _text(data).split("\n")
    start = draw(st.integers(0, len(lines) - 1))
    taken = lines[start : start + draw(st.integers(1, 6))]
    rest = lines[:start] + lines[start + len(taken) :]
    where = draw(st.integers(0, len(rest)))
    what = draw(st.sampled_from(["remove", "move", "repeat", "multiply"]))
    if what == "remove":
        return "\n".join(rest).encode()
    base = rest if what == "move" else lines
    return "\n".join([*base[:where], *taken * (40 if what == "multiply" else 1), *base[where:]]).encode()


def _structure(draw: st.DrawFn, data: bytes) -> bytes:
    """A header, a key or a comment in a place where it may not belong; other line ends."""
    text = _text(data)
    what = draw(st.sampled_from(["header", "key", "comment", "ends", "nest", "cut"]))
    if what == "ends":
        return text.replace("\n", draw(st.sampled_from(["\r\n", "\r", "\n\n", " \t\n"]))).encode()
    if what == "nest":
        return text.replace("[", draw(st.sampled_from(["[x.", "[stage.", "[[", "[ "])), 1).encode()
    if what == "cut":
        return text[: draw(st.integers(0, len(text)))].encode()
    line = {
        "header": draw(st.sampled_from(HEADERS)),
        "key": f"{draw(st.sampled_from(KEYS))} = {draw(st.sampled_from(ODD + HOSTILE))}",
        "comment": draw(
            st.sampled_from(["# tttdit: ignore[TTD201]", "# tttdit: ignore", "#:schema x", "# tttdit: skip", "#\x01"])
        ),
    }[what]
    lines = text.split("\n")
    where = draw(st.integers(0, len(lines)))
    return "\n".join([*lines[:where], line, *lines[where:]]).encode()


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
