"""A few bytes said and a few expected: enough to know whether a server of any protocol is there and speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.errors import NoAnswer
from healthd.probes import BODY_LIMIT

if TYPE_CHECKING:
    from healthd.net.limit import Limit
    from healthd.net.line import Line

_SHOWN: Final = 60


async def talk(line: Line, send: bytes, expect: bytes, limit: Limit) -> None:
    """Send, and read until what is expected is in what came. Raises OSError and NoAnswer."""
    if send:
        await line.send(send)
    heard = b""
    while expect not in heard:
        with limit.otherwise(lacking(expect, heard, f"within {limit.seconds:g} s")):
            data = await line.receive()
        heard += data
        if not data:
            raise lacking(expect, heard, "before the connection was closed")
        if len(heard) > BODY_LIMIT and expect not in heard:
            raise lacking(expect, heard, f"in its first {BODY_LIMIT // 1024} KiB")


def lacking(expect: bytes, heard: bytes, when: str) -> NoAnswer:
    """What is said where the answer was another one, or none."""
    if not heard:
        return NoAnswer("closed" if "closed" in when else "timeout", f"no answer {when}")
    return NoAnswer("answer", f"the answer lacks {shown(expect)} {when}; it begins with {shown(heard)}")


def shown(data: bytes) -> str:
    """Bytes for a person to read, one line and not many of them."""
    text = data[:_SHOWN].decode("utf-8", "backslashreplace")
    plain = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return f'"{plain}"' + ("..." if len(data) > _SHOWN else "")
