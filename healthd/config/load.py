"""Reading the configuration: from the files of the host, or from texts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.config import crosscheck, programs
from healthd.config.fragments import Unusable, find, parse, read
from healthd.config.merge import merge
from healthd.config.report import Report
from healthd.config.validate import settings
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from healthd.config.fragments import Fragment
    from healthd.config.settings import Settings


def load(
    path: Path | None = None,
    *,
    changes: Mapping[Path, Path | None] | None = None,
    texts: Mapping[str, str] | None = None,
    rescue: bool = False,
) -> Settings:
    """The settings of this host: of the main file (`path`, or the usual one) and of `conf.d/*.toml` beside it.

    The usual file need not exist. With `changes`, as they would be if these drop-ins were links to other files, or
    (None) not there; with `texts` (by name), as they would be if these came last. Raises `ConfigError` with everything
    that is wrong; to `rescue` is to leave that out, and take the rest.
    """
    report = Report()
    fragments: list[Fragment] = []
    complete = True
    try:
        files = find(path, changes or {})
    except Unusable as unusable:
        report.add_file(0, unusable.problem)
        raise ConfigError(report.problems()) from unusable
    for order, file in enumerate(files):
        try:
            fragments.append(read(file, order))
        except Unusable as unusable:
            report.add_file(order, unusable.problem)
            complete = False
    complete &= _parse(texts or {}, fragments, report, len(files))
    return _settings(fragments, report, complete=complete, on_host=True, rescue=rescue)


def load_texts(texts: Mapping[str, str | bytes] | None = None) -> Settings:
    """The settings that these texts mean, by file name in the order in which they merge; without any, the defaults.

    Raises `ConfigError`. Reads nothing.
    """
    report = Report()
    fragments: list[Fragment] = []
    complete = _parse(texts or {}, fragments, report, 0)
    return _settings(fragments, report, complete=complete)


def _parse(texts: Mapping[str, str | bytes], fragments: list[Fragment], report: Report, first: int) -> bool:
    """Add these texts to the fragments; False if one of them is no TOML."""
    complete = True
    for order, (file, text) in enumerate(texts.items(), first):
        data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
        try:
            fragments.append(parse(file, data, order))
        except Unusable as unusable:
            report.add_file(order, unusable.problem)
            complete = False
    return complete


def _settings(
    fragments: Sequence[Fragment], report: Report, *, complete: bool, on_host: bool = False, rescue: bool = False
) -> Settings:
    root = merge(fragments)
    result = settings(root, report, complete=complete)
    if rescue:
        return result
    if root is not None and complete:
        crosscheck.check(root, result, report)
    if problems := report.problems():
        raise ConfigError(problems)
    warnings = Report()
    if root is not None:
        crosscheck.warn(root, result, warnings)
        if on_host:
            programs.warn_of_missing(root, result, warnings)
    return replace(result, files=tuple(fragment.file for fragment in fragments), warnings=warnings.problems())
