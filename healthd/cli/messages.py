"""The part of `healthctl simulate` that says what people were told, and what they would have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.cli.text import BOLD, DIM, RED, YELLOW, columns, moment, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from healthd.cli.text import Style

    Data = Mapping[str, Any]

_SHOWN: Final = 40
_TEXT: Final = 60
_NOTICED: Final = 1.0


def told(report: Data, now: float, style: Style) -> Iterator[str]:
    """All messages, those of both worlds beside each other; of many, those that differ before the others."""
    every, receivers = report["messages"], report["receivers"]
    if not every:
        yield _none(receivers)
        return
    yield style.paint(_head(report), BOLD)
    shown = sorted(every, key=lambda each: bool(each["same"]))[:_SHOWN]
    named = any(len({tuple(each[world]["to"]) for each in every if each[world]}) > 1 for world in ("was", "would"))
    head = ("", "about", "was told", "would be told", "because")
    rows = [tuple((cell, style.paint(cell, DIM)) for cell in head)]
    rows += [_row(each, now, style, named=named) for each in sorted(shown, key=lambda each: float(each["at"]))]
    yield from (f"  {line}" for line in columns(rows))
    if len(every) > len(shown):
        yield f"  and {len(every) - len(shown)} more (all of them: --json)"


def _none(receivers: Mapping[str, Sequence[str]]) -> str:
    if receivers["would"]:
        return "No messages to people, in neither."
    would = "[alerting] names no receiver. What one would hear: --set alerting.webhook_url=http://localhost/"
    return f"Nobody was told anything, and nobody would be: {would}"


def _head(report: Data) -> str:
    every, receivers = report["messages"], report["receivers"]
    was, would = (sum(each[world] is not None for each in every) for world in ("was", "would"))
    different = sum(not each["same"] for each in every)
    before, after = _number(was, receivers["was"]), _number(would, receivers["would"])
    if not different and before == after:
        return f"No difference in what people are told: {before}"
    sent = f"{before} {'was' if was == 1 else 'were'} sent, {after} would be"
    if not different:
        return f"The same messages, but to others: {sent}"
    return f"{different} of {len(every)} {'message' if len(every) == 1 else 'messages'} to people differ: {sent}"


def _number(number: int, receivers: Sequence[str]) -> str:
    return f"{number} (to {', '.join(receivers)})" if number else "none"


def _row(each: Data, now: float, style: Style, *, named: bool) -> tuple[tuple[str, str], ...]:
    was, would = each["was"], each["would"]
    about = _cut((would or was)["about"])
    before = _message(was, each["at"], named=named)
    after = "the same" if each["same"] and not named else _message(would, each["at"], named=named)
    colour = "" if each["same"] else RED if would is None else YELLOW
    first = ((text, text) for text in (moment(each["at"], now), about, before))
    because = _cut(each["because"])
    return (*first, (after, style.paint(after, colour) if colour else after), (because, because))


def _message(message: Data | None, at: float, *, named: bool) -> str:
    """`at`: the time at the beginning of the line."""
    if message is None:
        return "nothing"
    words = f"{message['why']}, {message['severity']}"
    if named:
        words += f", to {' '.join(message['to'])}"
    return f"{words}, {moment(message['at'], at)}" if message["at"] - at >= _NOTICED else words


def _cut(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
