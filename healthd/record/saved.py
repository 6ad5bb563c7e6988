"""The engine's state as entries of the store, and back. Only what changed is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.decide.alert import Alert, Opening, key_of
from healthd.decide.ledger import Name, Page
from healthd.decide.silence import Silence, after_reboot
from healthd.decide.state import Cascade, EngineClock, EngineState, Key, Mark, Ticket, Upgrade
from healthd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TICKET = "ticket/"


def entries(
    state: EngineState, clock: EngineClock, boot: float, changed: Iterable[Key], removed: Iterable[Key]
) -> tuple[dict[str, Any], list[str]]:
    """What to write and what to forget, for `Store.save`. `boot`: this instant in boot seconds."""
    rows: dict[str, Any] = {
        _TICKET + str(key): state.tickets[key].to_plain() for key in changed if key in state.tickets
    }
    rows["clock"] = clock.to_plain(boot)
    stopped = sorted(state.stopped)
    rows["engine"] = {
        "seed": state.seed,
        "fresh": state.fresh,
        "marks": state.marks,
        "stopped": stopped,
        "incidents": state.incidents,
        "upgrade": state.upgrade,
        "downs": state.downs,
        "cascade": state.cascade,
        "silences": [silence.to_plain() for silence in state.silences],
        "silence_number": state.silence_number,
        "alerts": [alert.to_plain() for alert in state.alerts],
        "alert_number": state.alert_number,
        "openings": state.openings,
        "ledger": list(state.ledger.items()),
    }
    # What was removed in one step and came back in a later one, before anything could be written, is there.
    return rows, [_TICKET + str(key) for key in removed if key not in state.tickets]


def restore(
    saved: Mapping[str, Any] | None, *, seed: int, boot_id: str, boot: float, wall: float = 0.0
) -> tuple[EngineState, EngineClock]:
    """The state and clock that were saved; the beginning, with this `seed`, on a host where healthd never ran.

    `wall` (Unix seconds) tells silences for how long the host was off. Raises StorageError for what makes no sense.
    """
    if not saved:
        return EngineState(seed=seed, tickets={}), EngineClock.resume(None, boot_id, boot)
    try:
        tickets = [Ticket.from_plain(value) for key, value in saved.items() if key.startswith(_TICKET)]
        engine = saved["engine"]
        state = EngineState(
            seed=engine["seed"],
            fresh=engine["fresh"],
            tickets={ticket.key: ticket for ticket in tickets},
            marks=_marks(engine["marks"]),
            stopped=frozenset((component, item) for component, item in engine["stopped"]),
            incidents=int(engine.get("incidents", 0)),
            silences=_silences(saved, boot_id, boot, wall),
            silence_number=int(engine.get("silence_number", 0)),
            alerts=tuple(map(Alert.from_plain, engine.get("alerts", ()))),
            alert_number=int(engine.get("alert_number", 0)),
            openings=tuple(Opening(key_of(key), float(at)) for key, at in engine.get("openings", ())),
            upgrade=Upgrade(*upgrade) if (upgrade := engine.get("upgrade")) else None,
            downs=_marks(engine.get("downs", ())),
            cascade=_cascade(engine.get("cascade")),
            ledger=_ledger(engine.get("ledger", ())),
        )
        return state, EngineClock.resume({**saved["clock"]}, boot_id, boot)
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"the saved state makes no sense: {error!r}") from error


def _marks(saved: Iterable[Any]) -> tuple[Mark, ...]:
    return tuple(Mark(float(at), str(unit)) for at, unit in saved)


def _cascade(saved: Any) -> Cascade | None:
    return None if saved is None else Cascade(float(saved[0]), tuple(map(str, saved[1])))


def _ledger(saved: Iterable[Any]) -> dict[Name, Page]:
    return {Name(*map(str, name)): _page(*page) for name, page in saved}


def _page(helped: int, failed: int, in_a_row: int, wall: float, distrusted_at: float | None) -> Page:
    since = None if distrusted_at is None else float(distrusted_at)
    return Page(int(helped), int(failed), int(in_a_row), float(wall), since)


def _silences(saved: Mapping[str, Any], boot_id: str, boot: float, wall: float) -> tuple[Silence, ...]:
    silences = tuple(map(Silence.from_plain, saved["engine"].get("silences", ())))
    if saved["clock"]["boot_id"] == boot_id:
        return silences
    return after_reboot(silences, EngineClock.resume({**saved["clock"]}, boot_id, boot).now(boot), wall)
