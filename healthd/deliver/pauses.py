"""How long to wait before a receiver is tried again. Pure."""

from __future__ import annotations

from typing import Final

FIRST_SECONDS: Final = 1.0
SHORT_SECONDS: Final = 45.0
"""The longest pause while a letter is young: with the time of a try itself that is once a minute."""

YOUNG_SECONDS: Final = 600.0
LONG_SECONDS: Final = 300.0
WISH_SECONDS: Final = 3600.0
"""A receiver that asks for a longer pause than this is not obeyed."""


def pause(tries: int, age: float, chance: float, wished: float | None = None) -> float:
    """Seconds after the `tries`-th failure in a row: twice as long each time, shortened by up to a half by `chance`.

    `age` is that of the youngest letter that waits, `chance` from 0 to 1. `wished` is what the receiver asked for.
    """
    most = SHORT_SECONDS if age < YOUNG_SECONDS else LONG_SECONDS
    own = min(FIRST_SECONDS * 2.0 ** min(tries - 1, 30), most) * (1.0 - chance / 2)
    return own if wished is None else max(own, min(wished, WISH_SECONDS))
