"""The answer of `healthctl simulate`: plain data, for the terminal page and for programs alike."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from healthd.config.show import tables
from healthd.errors import StorageError
from healthd.record.deeds import OPENED, RESOLVED
from healthd.record.reel import read_tape
from healthd.simulate.compare import acts, pairs, sums
from healthd.simulate.judged import differing, judged_anew
from healthd.simulate.past import tickets_of
from healthd.simulate.people import exchanges, messages
from healthd.simulate.reasons import receivers_of
from healthd.simulate.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from healthd.config import Settings
    from healthd.decide.state import Key
    from healthd.simulate.compare import Act, Pair
    from healthd.simulate.people import Exchange, Message
    from healthd.simulate.replay import Told

    Plain = Mapping[str, Any]

_DECIDING: Final = ("health", "auto_healing", "services", "component", "thresholds", "alerting")
_AS_IT_WAS: Final = frozenset(
    {
        "weight",
        "ready_when",
        "history_retention_days",
        "smtp_url",
        "pagerduty_url",
        "webhook_secret",
        "heartbeat_url",
        "heartbeat_seconds",
    }
)
"""What decides nothing that is replayed, and nothing that could be missed in it."""

_OF_TABLES: Final = ("services", "component")
_LOOKING: Final = frozenset({"watch", "grace_seconds", "check_interval_seconds", "health_timeout_seconds"})


def simulate(history: Path, settings: Settings, since: float, until: float) -> dict[str, Any]:
    """What these settings would have led to in this time (Unix seconds). Raises `StorageError` where nobody can say."""
    taped = read_tape(history, since, until)
    frames = taped.frames
    if not frames or taped.until <= since:
        raise StorageError(f"{history}: nothing is on record of that time")
    recorded = next(frame["settings"] for frame in reversed(frames) if "settings" in frame)
    limits = differing(recorded.get("thresholds", {}), settings)
    found, coarse = judged_anew(history, limits, settings, frames[0]["wall"], taped.until)
    replayed = Replay(settings, frames, taped.until, limits=limits, found=found).run()
    begin = max(since, frames[0]["wall"])
    known = [ticket.key for ticket in tickets_of(frames[0]) if ticket.open]
    was, would = (_since(told, known, begin) for told in (replayed.was, replayed.would))
    now = replayed.end - (replayed.ended - begin)
    both = pairs(acts(was[0]), acts(would[0]))
    different = [pair for pair in both if not pair.same]
    told = exchanges(messages(was[0]), messages(would[0]))
    return {
        "history": str(history),
        "asked_since": since,
        "since": begin,
        "until": replayed.ended,
        "ran_away": replayed.ran_away,
        "recorded_since": taped.since,
        "replayed_since": frames[0]["wall"],
        "steps": replayed.steps,
        "reconfigured": [at for at in _reconfigured(frames) if at > begin],
        "gaps": [list(gap) for gap in replayed.gaps],
        "files": list(settings.files),
        "settings": list(_differences(recorded, tables(settings), {key for limit in limits for key in limit.keys})),
        "guesses": dict(replayed.guesses),
        "coarse": coarse,
        "receivers": {
            "was": receivers_of(recorded.get("alerting", {})),
            "would": list(settings.alerting.receivers),
        },
        "differences": [_pair(pair) for pair in different],
        "actions": [_pair(pair) for pair in both if pair.same],
        "messages": [_exchange(each) for each in told],
        "was": asdict(sums(*was, now, replayed.end)),
        "would": asdict(sums(*would, now, replayed.end)),
    }


def _reconfigured(frames: Iterable[Plain]) -> Iterator[float]:
    """When other settings came into force that decide something, in Unix seconds."""
    known: Plain | None = None
    for frame in frames:
        if "settings" in frame:
            new = {section: frame["settings"].get(section) for section in _DECIDING}
            if known is not None and new != known:
                yield frame["wall"]
            known = new


def _since(told: Sequence[Told], known: Sequence[Key], begin: float) -> tuple[list[Told], list[Key]]:
    """What happened since then, and what was wrong at that time."""
    opened = dict.fromkeys(known)
    for each in told:
        if each.wall >= begin:
            break
        if each.deed.kind == OPENED:
            opened[each.deed.key] = None
        elif each.deed.kind == RESOLVED:
            opened.pop(each.deed.key, None)
    return [each for each in told if each.wall >= begin], list(opened)


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "at": pair.at,
        "subject": pair.subject,
        "was": None if pair.was is None else _act(pair.was),
        "would": None if pair.would is None else _act(pair.would),
        "why": _why(pair),
    }


def _act(act: Act) -> dict[str, Any]:
    plain = {"at": act.at, "action": act.action, "attempt": act.number, "outcome": act.outcome, "text": act.text}
    return plain | ({"by": act.by} if act.by else {})


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "at": exchange.at,
        "same": exchange.same,
        "was": None if exchange.was is None else _message(exchange.was),
        "would": None if exchange.would is None else _message(exchange.would),
        "because": exchange.because,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "at": message.at,
        "why": message.why,
        "about": message.about,
        "severity": message.severity,
        "to": list(message.to),
        "component": message.key.component,
        "item": message.key.item,
        "type": message.key.type,
        "alert": message.alert,
    }


def _why(pair: Pair) -> str:
    """Why it was, or would have been, otherwise: how the world stood then in which nothing was done."""
    match pair.was, pair.would:
        case None, act if act is not None:
            return act.instead or "it was not done at that time"
        case act, None if act is not None:
            return act.instead
        case was, would if was is not None and would is not None:
            later = would.now - was.now
            if abs(later) < 1:
                return f"{was.outcome or 'under way'} then"
            return was.instead if later > 0 else would.instead
    return ""


def _differences(
    recorded: Mapping[str, Any], simulated: Mapping[str, Any], judged: set[str]
) -> Iterator[dict[str, Any]]:
    """Where the settings differ that decide something. `judged`: the limits against which values are held anew."""
    for section in _DECIDING:
        before, after = recorded.get(section, {}), simulated.get(section, {})
        for key in sorted({*before, *after}):
            was, now = before.get(key), after.get(key)
            if was == now:
                continue
            inner = section in _OF_TABLES and (isinstance(was, dict) or isinstance(now, dict))
            for name in sorted({*(was or {}), *(now or {})}) if inner else [""]:
                one, other = ((was or {}).get(name), (now or {}).get(name)) if inner else (was, now)
                if one != other and (name or key) not in _AS_IT_WAS:
                    path = ".".join(part for part in (section, _quoted(key), name) if part)
                    yield {
                        "key": path,
                        "recorded": one,
                        "simulated": other,
                        "replayed": _is_replayed(section, name or key, judged),
                    }


def _is_replayed(section: str, key: str, judged: set[str]) -> bool:
    """Whether a difference in this key shows in what is replayed; what was looked at was looked at as it was."""
    if section == "thresholds":
        return key in judged
    if section == "component":
        return key in ("critical", "depends_on")
    return key not in _LOOKING


def _quoted(key: str) -> str:
    return f'"{key}"' if "." in key else key
