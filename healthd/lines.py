"""Series of metrics as lines of text. What stands before a value hardly ever changes: it is written once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Key = tuple[str, ...]

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_NAMED: Final = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf", "-0": "0"}


class Lines:
    """The lines of one family, which are the same in Prometheus' text format and in OpenMetrics.

    A key is what tells series apart; `series` says what stands before the value in each line of one.
    """

    def __init__(self, series: Callable[[Key], Iterable[str]]) -> None:
        self._series = series
        self._keys: tuple[Key, ...] = ()
        self._form = ""

    def text(self, keys: Iterable[Key], values: Iterable[float]) -> str:
        """The lines of these keys, in their order, with as many values as there are lines."""
        keys = tuple(keys)
        if keys != self._keys:
            lines = (f"{before.replace('%', '%%')} %s\n" for key in keys for before in self._series(key))
            self._keys, self._form = keys, "".join(lines)
        return self._form % tuple([value if type(value) is int else number(value) for value in values])


def series(name: str, labels: Iterable[tuple[str, str]]) -> str:
    """One series as it is written. A file name that is not UTF-8 is told with backslashes: a page is, all of it."""
    written = ",".join(f'{label}="{utf8(value).translate(_ESCAPES)}"' for label, value in labels)
    return f"{name}{{{written}}}" if written else name


def number(value: float) -> str:
    """A value as it is written: the shortest text that means just this number."""
    text = repr(float(value)).removesuffix(".0")
    return _NAMED.get(text, text)
