"""Silences as operators set, see and end them. They are kept and obeyed by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.answers import Quiet
from healthd.config.patterns import translate
from healthd.decide.happenings import Silenced, SilenceEnded, Silencing, Unsilencing
from healthd.decide.silence import MOST_SILENCES, Kind, Scope, Silence, silence_of
from healthd.errors import ReadError, RequestError
from healthd.windows import check_windows

if TYPE_CHECKING:
    from healthd.answers import Wish
    from healthd.explain import Explainer
    from healthd.pipeline import Pipeline
    from healthd.ports import Clock
    from healthd.view import View

DEFAULT_SECONDS: Final = 3600.0
MOST_SECONDS: Final = 366 * 86_400.0
_LIST: Final = "healthctl silence lists them"


class Silencer:
    """Turns wishes into orders to the engine, and waits until they are obeyed and written down."""

    def __init__(self, pipeline: Pipeline, view: View, explainer: Explainer, clock: Clock) -> None:
        self._pipeline, self._view, self._explainer, self._clock = pipeline, view, explainer, clock

    async def silence(self, wish: Wish) -> Quiet:
        """Set a silence. `RequestError` 400 for a wish that makes no sense, 404 for an unknown name, 409 else."""
        seconds = self._seconds(wish)
        scope = self._scope(wish.name, everything=wish.everything)
        unit = self._running(wish.while_unit) if wish.while_unit is not None else ""
        if wish.calendar is not None:
            self._check(wish.calendar, seconds)
        by_time = wish.calendar is None and (not unit or wish.seconds is not None)
        silence = Silence(
            id="",
            scope=scope,
            by=wish.by,
            reason=wish.reason,
            set_at=0.0,
            set_wall=0.0,
            seconds=seconds,
            until=0.0 if by_time else None,
            unit=unit,
            calendar=wish.calendar or "",
            reminded=0.0,
        )
        for happening in await self._pipeline.order(Silencing(silence=silence)):
            if isinstance(happening, Silenced) and _same(happening.silence, silence):
                return self._view.quiet(happening.silence)
        raise RequestError(409, f"there are {MOST_SILENCES} silences already", hint="healthctl resume ends some")

    async def resume(self, name: str | None, *, everything: bool, by: str) -> tuple[Quiet, ...]:
        """End silences: all, the one of this id, those of just this name; without a name the only one that there is."""
        known = self._pipeline.state.silences
        if everything:
            wanted = known
        elif name is None:
            wanted = known
            if len(known) > 1:
                raise RequestError(409, f"there are {len(known)} silences: name one, or all", hint=_LIST)
        else:
            wanted = tuple(each for each in known if each.id == name) or self._of(name)
        if not wanted:
            raise RequestError(404, "nothing is silenced", hint=_LIST)
        order = Unsilencing(ids=frozenset(each.id for each in wanted), by=by)
        happened = await self._pipeline.order(order)
        ended = [each.silence for each in happened if isinstance(each, SilenceEnded) and each.silence.id in order.ids]
        return tuple(map(self._view.quiet, ended))

    # What is wished

    def _seconds(self, wish: Wish) -> float:
        if wish.everything and wish.name is not None:
            raise RequestError(400, "a name and all at once: silence one or the other")
        if wish.calendar is not None and wish.while_unit is not None:
            raise RequestError(400, "a silence goes by a calendar or by a unit, not by both")
        seconds = DEFAULT_SECONDS if wish.seconds is None else wish.seconds
        if not 1 <= seconds <= MOST_SECONDS:
            raise RequestError(400, "a silence lasts from a second to 366 days", hint="for good: heal = false")
        return seconds

    def _scope(self, name: str | None, *, everything: bool) -> Scope:
        if everything:
            return Scope(Kind.ALL)
        if name is None:
            raise RequestError(
                400, "what is to be silenced?", hint="name a component, an item, a unit or a pattern; or all"
            )
        picture, settings = self._pipeline.picture, self._pipeline.settings
        if name in picture.components:
            component = settings.component.get(name)
            return Scope(Kind.COMPONENT, name, unit=(component.unit if component else None) or "")
        if any(sign in name for sign in "*?["):
            try:
                translate(name)
            except ValueError as error:
                raise RequestError(400, f"{name!r} is no pattern of unit names: {error}") from None
            return Scope(Kind.UNITS, name)
        found = self._explainer.item(name)
        if found is not None and found[1].unit != found[1].name:
            return Scope(Kind.ITEM, found[1].name, found[0].name, found[1].unit or "")
        unit = self._explainer.unit(name if found is None else found[1].name)
        if unit is None and found is None:
            raise RequestError(
                404, f"{name}: no component, item or loaded unit has this name", hint="healthctl status lists them"
            )
        return Scope(Kind.UNITS, unit.name if unit is not None else name)

    def _running(self, name: str) -> str:
        """The unit that a silence shall end with. It must run: one that never starts would never end."""
        unit = self._explainer.unit(name)
        if unit is None:
            raise RequestError(
                404, f"{name}: no loaded unit has this name, so it does not run", hint="systemctl list-units"
            )
        if unit.active in ("inactive", "failed") and not unit.job:
            hint = "silence it from its own ExecStartPre=, or with --for"
            raise RequestError(409, f"{unit.name} does not run, so there is no end to wait for", hint=hint)
        return unit.name

    def _check(self, calendar: str, seconds: float) -> None:
        try:
            check_windows(self._clock, calendar, seconds)
        except (ValueError, ReadError) as error:
            raise RequestError(400, str(error), hint="man systemd.time, CALENDAR EVENTS") from None

    def _of(self, name: str) -> tuple[Silence, ...]:
        """The silences of just this name. Where only a wider one covers it, that is said."""
        scope = self._scope(name, everything=False)
        known, moment = self._pipeline.state.silences, self._pipeline.moment()
        exact = tuple(each for each in known if each.scope == scope)
        if exact:
            return exact
        item, unit = (
            ("", scope.unit or None) if scope.kind is Kind.COMPONENT else (scope.name, scope.unit or scope.name)
        )
        component = scope.name if scope.kind is Kind.COMPONENT else scope.component or "services"
        wider = silence_of(known, moment, component=component, item=item, unit=unit)
        if wider is not None:
            hint = f"healthctl resume {wider.id} ends that for all of it"
            raise RequestError(409, f"{name} is silenced with {wider.scope} ({wider.id})", hint=hint)
        raise RequestError(404, f"{name} is not silenced", hint=_LIST)


def _same(made: Silence, wished: Silence) -> bool:
    """Whether the engine made this one of that wish."""
    return (made.scope, made.by, made.reason, made.seconds, made.unit, made.calendar) == (
        wished.scope,
        wished.by,
        wished.reason,
        wished.seconds,
        wished.unit,
        wished.calendar,
    )
