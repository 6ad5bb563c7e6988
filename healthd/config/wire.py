"""Texts that stand for bytes: what a probe sends to a program, and what the program's answer must hold."""

from __future__ import annotations

from typing import Final

from healthd.config.kinds import refuse

_LENGTH_MAX: Final = 16_384
_ONE_BYTE: Final = "\u00ff"


class Wire:
    """A text of any characters, control characters too: most protocols of databases and brokers are not texts."""

    allowed = 'a text; "\\u00ff" in it is the byte FF'

    def read(self, raw: object) -> str:  # noqa: D102 -- what `read` promises is said once, by the protocol Kind
        return raw if isinstance(raw, str) and len(raw) <= _LENGTH_MAX else refuse(raw, self.allowed)


def to_bytes(text: str) -> bytes:
    """The bytes that such a text stands for: one for each character up to U+00FF; UTF-8 if it has others."""
    return text.encode("latin-1" if all(letter <= _ONE_BYTE for letter in text) else "utf-8")
