"""The table of layers: who may import whom inside the package (docs/adr/0011-house-departures.md).

Names are modules or packages below `healthd`. A row may import what stands in its `may`, and itself where it is a
package of parts that belong together. An import that only the type checker sees may also reach what stands in
`may_name`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.contract.source import Breach, Import, Module, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What these modules may import. `alone`: nor may the files of one of these folders import one another."""

    modules: tuple[str, ...]
    may: tuple[str, ...]
    may_name: tuple[str, ...] = ()
    alone: bool = False


WORDS: Final = (
    "model", "answers", "errors", "events", "evidence", "probes", "figures", "jobs", "letters", "detail", "soon",
    "mask", "utf8", "aside",
)  # fmt: skip
CONTRACTS: Final = ("ports", "registry", "config")
PURE: Final = ("assess", "decide")
STAGES: Final = ("sample", "schedule", "heal", "gather", "record", "expose")
LIKE_THINGS: Final = ("checks", "actions", "receivers")
DOORS: Final = ("systemd", "host", "net", "outputs", "clock")
ANSWERS: Final = (
    "tally",
    "histogram",
    "lines",
    "control",
    "view",
    "explain",
    "doctor",
    "aliases",
    "hush",
    "replies",
    "alive",
)

TABLE: Final = (
    Row(modules=WORDS, may=WORDS),
    Row(modules=("ports", "config"), may=WORDS),
    Row(modules=("registry",), may=WORDS, may_name=("ports", "config")),
    *(Row(modules=(package,), may=(*WORDS, *CONTRACTS)) for package in PURE),
    *(Row(modules=(stage,), may=(*WORDS, *CONTRACTS, *PURE)) for stage in STAGES),
    Row(modules=("formats",), may=WORDS),
    Row(
        modules=("checks",),
        may=(*WORDS, *CONTRACTS, "formats", "assess.score", "assess.probe", "decide.failure"),
        alone=True,
    ),
    Row(modules=("actions",), may=(*WORDS, *CONTRACTS, "formats"), alone=True),
    Row(modules=("receivers",), may=(*WORDS, *CONTRACTS), alone=True),
    Row(
        modules=("deliver",),
        may=(*WORDS, *CONTRACTS, "net", "clock", "places", "systemd.journal", "receivers", "deliver"),
    ),
    *(Row(modules=(door,), may=(*WORDS, *CONTRACTS)) for door in DOORS),
    Row(modules=("inquiry", "notify"), may=(*WORDS, *CONTRACTS, *PURE, *STAGES, "pipeline")),
    Row(
        modules=("pipeline", "heard", "looks", "pace", "saving", "upgrades", "windows"),
        may=(*WORDS, *CONTRACTS, *PURE, *STAGES, "formats", "heard", "looks", "pace", "saving", "upgrades", "windows"),
    ),
    Row(modules=ANSWERS, may=(*WORDS, *CONTRACTS, *PURE, "pipeline", "windows", *ANSWERS)),
    Row(
        modules=("daemon", "statusline", "places", "lean", "__main__"),
        may=(
            *WORDS,
            *CONTRACTS,
            *PURE,
            *STAGES,
            *LIKE_THINGS,
            *DOORS,
            "pipeline",
            "inquiry",
            "notify",
            *ANSWERS,
            "daemon",
            "statusline",
            "places",
            "lean",
        ),
    ),
    Row(modules=("simulate",), may=(*WORDS, "config", *PURE, "record")),
    Row(modules=("cli",), may=(*WORDS, "config", "simulate.report")),
)

FOR_ALL: Final = ("healthd.__version__", "__future__.annotations")


def row_of(source: Module) -> Row | None:
    """The row that a module stands in."""
    inner = source.name.removeprefix("healthd.")
    return next((row for row in TABLE if within(inner, *row.modules)), None)


def breaches(source: Module) -> Iterator[Breach]:
    """Every import of a module that the table does not allow."""
    if source.name == "healthd":
        yield from (source.breach(each.line, "healthd/__init__.py holds the version only") for each in _inner(source))
        return
    row = row_of(source)
    if row is None:
        yield source.breach(1, f"{source.name} stands in no row of the table of layers: give it its place")
        return
    for each in _inner(source):
        target = each.target.removeprefix("healthd.")
        if not _allowed(source, row, each, target):
            kind = "names the type" if each.type_only else "imports"
            allowed = ", ".join(dict.fromkeys((*row.may, *(row.may_name if each.type_only else ()))))
            yield source.breach(each.line, f"{kind} {each.target}; {' '.join(row.modules)} may import only: {allowed}")


def unused(sources: Sequence[Module]) -> Iterator[str]:
    """What the table says in vain: rows of modules that are not there, single modules that nobody imports."""
    names = [source.name.removeprefix("healthd.") for source in sources]
    for row in TABLE:
        yield from (f"{name} is not there" for name in row.modules if not any(within(n, name) for n in names))
        own = [source for source in sources if row_of(source) is row]
        taken = [each.target.removeprefix("healthd.") for source in own for each in _inner(source)]
        single = [name for name in (*row.may, *row.may_name) if "." in name]
        yield from (f"{' '.join(row.modules)} need not import {name}" for name in single if not _any(taken, name))


def _any(taken: list[str], name: str) -> bool:
    return any(within(target, name) for target in taken)


def _inner(source: Module) -> Iterator[Import]:
    return (
        each
        for each in source.imports
        if within(each.target, "healthd") and each.target not in FOR_ALL and not each.relative
    )


def _allowed(source: Module, row: Row, each: Import, target: str) -> bool:
    own = next(name for name in row.modules if within(source.name.removeprefix("healthd."), name))
    if within(target, own):
        return not row.alone
    return within(target, *row.may) or (each.type_only and within(target, *row.may_name))
