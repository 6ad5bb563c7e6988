"""The folders of like things: what a file in `checks/`, `actions/` or `receivers/` must hold, and how it is found.

Each file holds one constant (`CHECK`, `ACTION`, `RECEIVER`). A file that cannot be loaded, or holds something else,
stops the start: a healer that silently lacks a check is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from healthd.errors import PluginError
from healthd.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Coroutine, Iterable, Mapping, Sequence

    from healthd.config import AlertingSettings, Settings
    from healthd.errors import DeliveryError
    from healthd.letters import Letter
    from healthd.model import Assessment, Item, JobResult
    from healthd.ports import Beats, Clock, Host, Net, Outputs, Units
    from healthd.soon import Soon

    Reveal = Callable[[Any], str]
    """Makes a text of a value of the configuration, which may name a credential; raises `DeliveryError`."""

_T = TypeVar("_T")
_K = TypeVar("_K", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a check may reach: to read, never to act."""

    units: Units
    host: Host
    net: Net
    clock: Clock
    beats: Beats
    outputs: Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A check: how it reads and how it judges what it read.

    `options` picks the options of the component of this name out of the settings. `sample` only reads: it returns the
    reading, or a coroutine that does, where it must be waited for. It is given the names of the items to look at, or
    None for all, and raises `Absent` where the host lacks what it would read.
    `assess` is pure: it is given the reading, what `keep` made of the one before it (None: this is the first) and the
    options. `keep`, given the same, says what the next one is to be compared with: the reading itself, where nothing
    else is said. `score` turns all items of the component into its score. `noun` is what an item is, in the singular.

    `immediate`: the check is run within the turn, whatever is waited for; any other runs beside it, and a reading that
    does not come in a moment is news for a later one. `asks_unit`: what it reads is what the component's unit answers,
    so that there is nothing to be read while that does not run. `keeps_time`: it ends by itself within the component's
    time limit, and that nothing came until then is its reading.
    """

    type: str
    options: Callable[[Settings, str], Any]
    sample: Callable[[Ports, Any, frozenset[str] | None], Soon[Any]]
    assess: Callable[[Any, Any, Any], Assessment]
    score: Callable[[Iterable[Item]], float]
    keep: Callable[[Any, Any, Any], Any] = lambda reading, _before, _options: reading
    noun: str = "item"
    immediate: bool = False
    asks_unit: bool = False
    keeps_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """An action: what it does to a unit, within `deadline` seconds. Whether it may run is never its business.

    `disruptive`: it interrupts a unit that may be doing its work. `told`, for what is done by a unit that reports: the
    job's result together with what the unit printed.
    """

    kind: ActionKind
    disruptive: bool
    run: Callable[[Units, str, float], Coroutine[Any, Any, JobResult]]
    told: Callable[[JobResult, str], JobResult] | None = None


class Ways(Protocol):
    """How a receiver reaches the world, from the delivery process. Every coroutine raises `DeliveryError`."""

    def wall(self) -> float:
        """Unix seconds, at this moment."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Have an HTTP server take this JSON."""

    async def get(self, url: str) -> None:
        """Have an HTTP server answer."""

    async def apprise(self, url: str, title: str, body: str, kind: str) -> None:
        """Have the service at this address of apprise take a message."""

    async def mail(self, server: str, sender: str, to: Sequence[str], message: bytes) -> Mapping[str, DeliveryError]:
        """Have the mail server at this URL take a message for these; returns why it does not for some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSpec:
    """A receiver: what of the settings it needs, and how it gets a letter. Queue and repetition are never its business.

    `send` raises `DeliveryError`. `each` names the option that holds addresses, each of which is told by itself; those
    for which the same message is due are told in one go if `together`. `send` returns who of them did not take it, or
    who of several that tell each other did not. `label`, of its number and itself, calls an address so that it gives
    nothing away. `keeps_alive`: it forgets what it is not told again. `takes_notes`: what neither opens nor ends
    anything has a place there.
    """

    name: str
    options: Callable[[AlertingSettings, Reveal], Any]
    send: Callable[[Ways, Letter, Any], Awaitable[Mapping[str, DeliveryError] | None]]
    each: str = ""
    together: bool = False
    label: Callable[[int, str], str] = lambda _number, address: address
    keeps_alive: bool = False
    takes_notes: bool = True


def find_checks(types: Container[str] | None = None) -> dict[str, CheckSpec]:
    """The checks of these types, None: all, by type; raises PluginError.

    A check stands in the file of its name: what no component is of a type of need not be in memory.
    """
    return _by_name([(spec.type, spec) for spec in _find("healthd.checks", "CHECK", CheckSpec, types)])


def find_actions() -> dict[ActionKind, ActionSpec]:
    """All actions by kind; raises PluginError."""
    return _by_name([(spec.kind, spec) for spec in _find("healthd.actions", "ACTION", ActionSpec)])


def find_receivers(names: Container[str] | None = None) -> dict[str, ReceiverSpec]:
    """The receivers of these names, None: all; raises PluginError. Those of other names are not loaded."""
    return _by_name([(spec.name, spec) for spec in _find("healthd.receivers", "RECEIVER", ReceiverSpec, names)])


def _by_name(specs: list[tuple[_K, _T]]) -> dict[_K, _T]:
    found: dict[_K, _T] = {}
    for name, spec in specs:
        if name in found:
            raise PluginError(f"two files are both {name}: one would hide the other")
        found[name] = spec
    return found


def _find(package: str, constant: str, kind: type[_T], wanted: Container[str] | None = None) -> list[_T]:
    found = []
    files = [file for folder in import_module(package).__path__ for file in sorted(Path(folder).glob("[!_]*.py"))]
    for name in (file.stem for file in files if wanted is None or file.stem in wanted):
        module = f"{package}.{name}"
        try:
            spec = getattr(import_module(module), constant)
        except (ImportError, AttributeError, SyntaxError) as error:
            raise PluginError(f"{module}: {error}") from error
        if not isinstance(spec, kind):
            raise PluginError(f"{module}: {constant} must be a {kind.__name__}, not {type(spec).__name__}")
        found.append(spec)
    return found
