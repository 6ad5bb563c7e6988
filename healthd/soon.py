"""A value that is at hand, as nearly always, or that must be waited for. What is at hand needs no task and no limit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, TypeAlias, TypeVar, cast

_T = TypeVar("_T")
_R = TypeVar("_R")

Soon: TypeAlias = _T | Coroutine[Any, Any, _T]


def then(found: Soon[_T], make: Callable[[_T], _R]) -> Soon[_R]:
    """What is made of a value: now, if it is at hand."""
    return _later(found, make) if isinstance(found, CoroutineType) else make(cast("_T", found))


async def waited(found: Soon[_T]) -> _T:
    """The value, waited for where it must be."""
    return await found if isinstance(found, CoroutineType) else cast("_T", found)


async def _later(found: Coroutine[Any, Any, _T], make: Callable[[_T], _R]) -> _R:
    return make(await found)
