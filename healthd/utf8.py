"""Names of files need not be UTF-8. Their bytes that are not reach us as halves of characters, which have no bytes."""

from __future__ import annotations


def utf8(text: str) -> str:
    """The text, with backslashes in place of halves of characters. In JSON, what comes back of it is the same text."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
