"""What becomes of silences in a step: set, ended, opened and closed by the calendar, brought to mind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.decide.happenings import Silenced, SilenceEnded, SilenceLasts, Silencing, Unsilencing, WindowOpened
from healthd.decide.silence import MOST_SILENCES, is_in_force, is_over, window_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.decide.case import Moment
    from healthd.decide.happenings import AnyOrder, Happening
    from healthd.decide.silence import Silence
    from healthd.decide.turn import Turn

REMIND_SECONDS: Final = 86_400.0
"""A silence that has been in force for so long without a break is brought to mind, and again as often."""


def keep_quiet(turn: Turn, orders: Iterable[AnyOrder]) -> None:
    """Bring the silences up to date. If another set is in force than before, every open issue is decided anew."""
    before, moment = turn.state.silences, turn.moment
    silences, number = list(before), turn.state.silence_number
    for order in orders:
        match order:
            case Silencing(silence=silence) if len(silences) < MOST_SILENCES:
                number += 1
                new = replace(silence, id=f"s{number}", set_at=moment.now, set_wall=moment.wall, reminded=moment.now)
                new = replace(new, until=None if silence.until is None else moment.now + silence.seconds)
                silences.append(replace(new, in_force=is_in_force(replace(new, in_force=False), moment)))
                turn.happened.append(Silenced(silence=silences[-1]))
            case Unsilencing(ids=ids, by=by):
                for silence in [each for each in silences if each.id in ids]:
                    silences.remove(silence)
                    turn.happened.append(_ended(silence, moment, f"{by} ended it"))
            case _:
                pass
    kept = [each for silence in silences if (each := _followed(silence, moment, turn.happened)) is not None]
    turn.anew = {each.id for each in before if each.in_force} != {each.id for each in kept if each.in_force}
    turn.state = replace(turn.state, silences=tuple(kept), silence_number=number)
    turn.wakes.extend(at for silence in kept for at in _edges(silence, moment))


def _followed(silence: Silence, moment: Moment, happened: list[Happening]) -> Silence | None:
    """How the silence stands now; None if it is over."""
    over = is_over(silence, moment)
    if over:
        happened.append(_ended(silence, moment, over))
        return None
    in_force = is_in_force(silence, moment)
    if in_force is not silence.in_force:
        silence = replace(silence, in_force=in_force, reminded=moment.now)
        window = window_of(silence, moment)
        if in_force and window is not None:
            happened.append(WindowOpened(silence=silence, ends=window.ends))
    if in_force and moment.now >= silence.reminded + REMIND_SECONDS:
        silence = replace(silence, reminded=moment.now)
        happened.append(SilenceLasts(silence=silence, lasted=moment.now - silence.set_at))
    return silence


def _ended(silence: Silence, moment: Moment, text: str) -> SilenceEnded:
    return SilenceEnded(silence=silence, text=text, lasted=moment.now - silence.set_at)


def _edges(silence: Silence, moment: Moment) -> Iterable[float]:
    """When, in engine seconds, something about the silence may change without news."""
    if silence.until is not None:
        yield silence.until
    if silence.in_force:
        yield silence.reminded + REMIND_SECONDS
    window = window_of(silence, moment)
    if window is not None:
        yield moment.now + (window.ends if silence.in_force else window.begins) - moment.wall
