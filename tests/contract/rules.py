"""The other rules of the house that a syntax tree shows: doors for foreign code, borders for errors, sizes, names."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.contract.source import Breach, Module, functions, within

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 50
DRAWERS: Final = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "misc"})

DOORS: Final = {
    "apprise": ("healthd.deliver.foreign",),
    "ctypes": ("healthd.host.touched",),
    "h11": ("healthd.expose", "healthd.net", "healthd.cli.client"),
    "jeepney": ("healthd.systemd",),
    "sdnotify": ("healthd.systemd.notify",),
    "sqlite3": ("healthd.record",),
    "smtplib": ("healthd.deliver.mail",),
    "ssl": ("healthd.deliver.mail", "healthd.expose.tls", "healthd.net.tls"),
    "systemd": ("healthd.systemd",),
    "tomli": ("healthd.config",),
}
"""Each foreign library, ctypes, sqlite3, smtplib and ssl, with the only modules that may import it."""

NOWHERE: Final = {
    **dict.fromkeys(
        ("subprocess", "multiprocessing", "pty", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        "the daemon starts no process: root work is a systemd unit",
    ),
    **dict.fromkeys(("http.client", "urllib.request", "ftplib"), "what asks the network is healthd.net"),
    **dict.fromkeys(("pickle", "marshal", "shelve"), "what is read back from disk is data, never code"),
}

PURE_MAY: Final = frozenset(
    {"__future__", "bisect", "collections", "dataclasses", "enum", "functools", "itertools", "math", "signal"}
    | {"statistics", "types", "typing", "zlib"}
)
"""What the pure middle may take from the standard library: nothing that knows the time, a disk or a loop."""

CLOCKS: Final = {
    "healthd.clock": "it is the door",
    "healthd.cli": "a client of its own, without ports",
    "healthd.host": "when the kernel said something, and the age of PID 1, which is the kernel's to tell",
    "healthd.expose": "the Date header and the timestamp of an answer",
    "healthd.record.words": "shows an instant that it is given",
    "healthd.systemd.render": "shows an instant that it is given",
    "healthd.systemd.notify": "systemd asks for CLOCK_MONOTONIC at a reload",
}
"""Who may import `time`, and why."""

WITHOUT_LOOP: Final = (
    *("healthd.model", "healthd.errors", "healthd.events", "healthd.ports", "healthd.registry", "healthd.config"),
    *("healthd.assess", "healthd.decide", "healthd.cli"),
)
"""Who never needs a loop of its own: words, contracts, the pure middle, the client."""

BORDERS: Final = frozenset(
    {
        ("healthd.sample", "Sampler._look"),
        ("healthd.sample", "Sampler._wait"),
        ("healthd.heal", "Healer._act"),
        ("healthd.deliver.courier", "Courier._try"),
    }
)
"""Where `except Exception` stands: a check's run, an action's run, a receiver's send."""

DYNAMIC: Final = ("healthd.registry", "healthd.cli.main")
"""Who imports by a name made at run time: the folders of like things, and the verb that was called."""

VALUES: Final = ("healthd.model", "healthd.figures", "healthd.ports", "healthd.registry", "healthd.decide")
"""Whose dataclasses cross layers or are saved."""

_PROCESS_CALLS: Final = ("system", "popen", "fork", "exec", "spawn", "posix_spawn")
_LOOP_PROCESS_CALLS: Final = (
    "create_subprocess_exec",
    "create_subprocess_shell",
    "subprocess_exec",
    "subprocess_shell",
)
_BROAD: Final = frozenset({"Exception", "BaseException"})


def foreign(source: Module) -> Iterator[Breach]:
    """A library imported elsewhere than behind its door, or one that has no door."""
    for each in source.imports:
        top = each.target.partition(".")[0]
        if top in DOORS and not within(source.name, *DOORS[top]):
            yield source.breach(each.line, f"imports {each.target}; only {' and '.join(DOORS[top])} may import {top}")
        elif top not in DOORS and top not in sys.stdlib_module_names and top != "healthd" and not each.relative:
            yield source.breach(each.line, f"imports {each.target}, which has no door in the table of libraries")


def banned(source: Module) -> Iterator[Breach]:
    """What no module may import."""
    for each in source.imports:
        for name, why in NOWHERE.items():
            if within(each.target, name):
                yield source.breach(each.line, f"imports {each.target}: {why}")


def processes(source: Module) -> Iterator[Breach]:
    """Calls that start a process without importing `subprocess`."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name.startswith(_PROCESS_CALLS):
                yield source.breach(node.lineno, f"uses os.{name}: {NOWHERE['subprocess']}")
            case ast.Attribute(attr=name) if name in _LOOP_PROCESS_CALLS:
                yield source.breach(node.lineno, f"uses {name}: {NOWHERE['subprocess']}")
            case _:
                continue


def impure(source: Module) -> Iterator[Breach]:
    """In the pure middle: imports that could read a clock, a disk or a socket, I/O by builtins, and coroutines."""
    if not within(source.name, "healthd.assess", "healthd.decide"):
        return
    for each in source.imports:
        top = each.target.partition(".")[0]
        if top not in PURE_MAY and top != "healthd":
            yield source.breach(each.line, f"imports {each.target}; the pure middle takes time and facts as arguments")
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "eval" | "exec" as name)):
                yield source.breach(node.lineno, f"calls {name}(); the pure middle has no effects")
            case ast.AsyncFunctionDef(name=name):
                yield source.breach(node.lineno, f"{name} is a coroutine; the pure middle waits for nothing")
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield source.breach(node.lineno, f"rebinds {', '.join(names)}; the pure middle keeps no state")
            case _:
                continue


def clocks(source: Module) -> Iterator[Breach]:
    """Modules that ask for the time though they could be told."""
    for each in source.imports:
        if each.target.partition(".")[0] == "time" and not within(source.name, *CLOCKS):
            yield source.breach(each.line, f"imports {each.target}; time is an argument, or comes by ports.Clock")


def loops(source: Module) -> Iterator[Breach]:
    """asyncio where there is nothing to wait for."""
    for each in source.imports:
        if within(each.target, "asyncio") and within(source.name, *WITHOUT_LOOP):
            yield source.breach(each.line, f"imports {each.target}; nothing here has a loop of its own")


def kernel_files(source: Module) -> Iterator[Breach]:
    """Paths below /proc and /sys outside of the door to the kernel."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or within(source.name, "healthd.host"):
            continue
        if f"{node.value}/".startswith(("/proc/", "/sys/")):
            yield source.breach(node.lineno, f"names {node.value}; only healthd.host reads the kernel's files")


def dynamic(source: Module) -> Iterator[Breach]:
    """Imports by a made-up name, which no table can see."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and source.name not in DYNAMIC:
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in ("__import__", "import_module"):
                yield source.breach(node.lineno, f"imports by a name; only {' and '.join(DYNAMIC)} may")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broad:
    """A handler that catches everything: where it stands."""

    module: str
    function: str
    breach: Breach


def broad_handlers(source: Module) -> Iterator[Broad]:
    """Handlers of every exception that do not raise it on."""
    for name, function in functions(source):
        for node in ast.walk(function):
            match node:
                case ast.ExceptHandler(type=caught, body=body) if _is_broad(caught) and not _raises_on(body):
                    yield _broad(source, name, node.lineno)
                case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
                    if any(_is_broad(argument) for argument in args):
                        yield _broad(source, name, node.lineno)
                case _:
                    continue


def _broad(source: Module, function: str, line: int) -> Broad:
    text = f"{function} catches every exception; that stands only at {len(BORDERS)} borders, and each is known by name"
    return Broad(module=source.name, function=function, breach=source.breach(line, text))


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(part, ast.Name) and part.id in _BROAD for part in parts)


def _raises_on(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Raise) and body[-1].exc is None


def cancellation(source: Module) -> Iterator[Breach]:
    """Handlers that keep a cancellation for themselves."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler) or node.type is None or _raises_on(node.body):
            continue
        if "CancelledError" in ast.unparse(node.type):
            yield source.breach(node.lineno, "catches CancelledError and does not raise it on")


def sizes(source: Module) -> Iterator[Breach]:
    """Modules that need a table of contents, functions that do not fit in a glance."""
    lines = len(source.text.splitlines())
    if lines > MODULE_LINES:
        yield source.breach(lines, f"has {lines} lines; a module has at most {MODULE_LINES}")
    for name, function in functions(source):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            yield source.breach(function.lineno, f"{name} has {length} lines; a function has at most {FUNCTION_LINES}")


def names(source: Module) -> Iterator[Breach]:
    """Modules named like a drawer into which anything fits."""
    for part in source.file.removesuffix(".py").split("/"):
        if part.removeprefix("test_") in DRAWERS:
            yield source.breach(1, f"is named '{part}', which says nothing about what is in it")


def relative(source: Module) -> Iterator[Breach]:
    """Imports that begin with a dot."""
    for each in source.imports:
        if each.relative:
            yield source.breach(each.line, f"imports .{each.target}; imports are absolute, so that layers show")


def values(source: Module) -> Iterator[Breach]:
    """Dataclasses of the words and of the engine that could be changed in place."""
    if not within(source.name, *VALUES):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                missing = {"frozen", "slots", "kw_only"} - _switched_on(decorator)
                if ast.unparse(decorator).startswith("dataclass") and missing:
                    yield source.breach(node.lineno, f"{node.name} is a dataclass without {', '.join(sorted(missing))}")


def _switched_on(decorator: ast.expr) -> set[str | None]:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return {word.arg for word in keywords if isinstance(word.value, ast.Constant) and word.value.value is True}
