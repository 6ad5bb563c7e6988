"""What the daemon does without, so that it weighs little (docs/adr/0010-lean-imports.md).

Modules that other libraries import and nobody here uses are kept out of memory before anything can ask for them, and
what dataclasses leave behind when they are made is given back.
"""

from __future__ import annotations

import gc
import sys
from dataclasses import FrozenInstanceError, fields
from importlib.machinery import PathFinder
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

BARRED: Final = ("ssl", "_hashlib")
"""asyncio takes TLS along (4 MiB), hashlib the library under it (1 MiB) though it can do without. Both guard these
imports: for them there is no such module."""

POSTPONED: Final = ("asyncio.sslproto", "ipaddress", "locale")
"""For TLS, for URLs with an address in brackets, for programs that are started and print text (0.7 MiB). Nobody guards
these imports: the module is there, and read from disk once somebody wants something of it."""

_READING: Final = RLock()


def slim() -> None:
    """Keep these modules out, from now on."""
    for name in BARRED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    sys.meta_path.insert(0, _Postponing())


def let_in(name: str) -> None:
    """Have a barred module exist after all."""
    if sys.modules.get(name, sys) is None:
        del sys.modules[name]


def settle() -> None:
    """Give back what only making things took. What is left stays: to look through it again and again would cost CPU."""
    # Copies: threads import what they need, at any time.
    modules = [module for name, module in sys.modules.copy().items() if name.startswith("healthd.")]
    for record in {made for module in modules for made in vars(module).copy().values() if isinstance(made, type)}:
        if "__dataclass_params__" in vars(record):
            _share(record)
    gc.collect()
    gc.freeze()


def _share(record: Any) -> None:
    """Give a dataclass the functions of all in place of its own, which do the same and weigh 6 KiB.

    With them goes its twin, the class without slots that it was made from: they hold it, and so does a descriptor that
    describes nothing any more.
    """
    own, params = vars(record), record.__dataclass_params__
    if params.frozen:
        record.__setattr__, record.__delattr__ = _unassignable, _undeletable
    if params.repr and hasattr(own.get("__repr__"), "__wrapped__"):  # the mark of one that was generated
        record.__repr__ = _shown
    stale = own.get("__weakref__")
    if stale is not None and stale.__objclass__ is not record:
        del record.__weakref__


def _unassignable(_record: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _undeletable(_record: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _shown(record: Any) -> str:
    shown = (f"{each.name}={getattr(record, each.name)!r}" for each in fields(record) if each.repr)
    return f"{type(record).__qualname__}({', '.join(shown)})"


class Unread(ModuleType):
    """A module of which nothing was wanted yet."""

    def __getattr__(self, name: str) -> object:
        with _READING:
            later: object = self.__loader__
            if isinstance(later, _Later):  # else another thread was faster, or its own code asks while it is read
                later.read(self)
        return ModuleType.__getattribute__(self, name)


class _Later:
    """A loader that leaves its work to another one, for when it is wanted."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = Unread

    def read(self, module: ModuleType) -> None:
        _belongs_to(module, self._loader)
        try:
            self._loader.exec_module(module)
        except BaseException:
            _belongs_to(module, self)  # who wants something next tries again
            raise
        module.__class__ = ModuleType


def _belongs_to(module: ModuleType, loader: Any) -> None:
    module.__loader__ = loader
    if module.__spec__ is not None:
        module.__spec__.loader = loader


class _Postponing:
    """A finder, asked before all others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in POSTPONED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)  # type: ignore[assignment]
        return spec
