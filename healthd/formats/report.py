"""What the unit of a chore prints about its run, and what follows from it for the attempt.

Lines of a word and its value, in any order; what is not understood is passed over:

    run 6f0c...          the run that it is of: a report that lies there from another one says nothing
    won 41943040 5 the journal
                         bytes and files that were won (or would be), by what; a line each
    did restarted systemd-networkd.service
                         what else was done (or would be)
    left it is in use    what was not done, and why
    dry-run              nothing was done at all; the rest says what would be
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.formats.size import size

if TYPE_CHECKING:
    from healthd.model import JobResult

_WON: Final = re.compile(r"won ([0-9]{1,18}) ([0-9]{1,18}) (.+)")
_LINES_MAX: Final = 50
_TEXT_MAX: Final = 300


class Won(NamedTuple):
    """What one part of the work won: so many bytes, by removing so many files."""

    size: int
    files: int
    what: str

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{self.what} {size(self.size) if self.size or not self.files else files}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says; `did` and `left` are sentences."""

    run: str = ""
    won: tuple[Won, ...] = ()
    did: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to do, and nothing was done."""
        return not self.did and not any(part.size or part.files for part in self.won)


def parse(printed: str) -> Report:
    """What the lines say."""
    run, dry_run = "", False
    won, did, left = [], [], []
    for line in printed.splitlines()[:_LINES_MAX]:
        word, _, value = line.partition(" ")
        value = _shown(value)
        if found := _WON.fullmatch(line):
            won.append(Won(int(found[1]), int(found[2]), _shown(found[3])))
        elif word == "run":
            run = value
        elif word == "dry-run":
            dry_run = True
        elif word == "did":
            did.append(value)
        elif word == "left":
            left.append(value)
    return Report(run=run, won=tuple(won), did=tuple(did), left=tuple(left), dry_run=dry_run)


def told(result: JobResult, printed: str) -> JobResult:
    """The result of the unit's job, in the words of its report: what was won, or that there was nothing to do."""
    if result.result == "refused" and "masked" in result.text:
        return replace(result, result="not_supported", text=f"somebody masked it: {result.text}")
    report = parse(printed)
    other = result.unit is not None and report.run != result.unit.invocation
    if other or not report.run:  # whoever overrides the unit's program need not report
        return result
    if not result.done:
        return replace(result, text="; ".join(filter(None, (result.text, *report.left))))
    if report.nothing:
        return replace(result, result="not_supported", text="; ".join(report.left) or "there is nothing to be won")
    return replace(result, text=in_words(report))


def in_words(report: Report) -> str:
    """What came of it, in a sentence."""
    said = list(report.did)
    won = [part for part in report.won if part.size or part.files]
    if won:
        total = size(sum(part.size for part in won))
        said.append(f"{total} {'would be ' if report.dry_run else ''}won ({', '.join(map(str, won))})")
    return "; ".join((*said, *report.left))


def _shown(value: str) -> str:
    """As a log may show it."""
    text = "".join(each if each.isprintable() else "?" for each in value.strip())
    return text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 3]}..."
