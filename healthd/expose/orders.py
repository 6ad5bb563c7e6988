"""What a client may order: the POST half of the API."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from healthd.answers import Wish
from healthd.errors import RequestError
from healthd.expose import fields, render
from healthd.expose.message import Right, as_json
from healthd.expose.routes import Route
from healthd.model import ActionKind

if TYPE_CHECKING:
    from healthd.expose.message import Answer
    from healthd.expose.routes import Ask
    from healthd.ports import Control


async def heal(control: Control, ask: Ask) -> Answer:
    """Heal something now, through the same decision as always."""
    name = fields.name(ask.fields)
    action = fields.choice(ask.fields, "action", ActionKind)
    dry_run = fields.flag(ask.fields, "dry_run")
    return as_json(render.finished(await control.heal(name, action, dry_run=dry_run, by=ask.by)))


async def check(control: Control, ask: Ask) -> Answer:
    """Run one check, or all of them, and say how things stand then."""
    return as_json(render.status(await control.check(fields.optional_name(ask.fields), by=ask.by)))


async def reset(control: Control, ask: Ask) -> Answer:
    """Forget attempts, backoff and gave_up."""
    return as_json({"reset": list(await control.reset(fields.name(ask.fields), by=ask.by))})


async def silence(control: Control, ask: Ask) -> Answer:
    """Silence something for a while."""
    wish = Wish(
        name=fields.optional_name(ask.fields),
        everything=fields.flag(ask.fields, "all"),
        seconds=fields.number(ask.fields, "for_seconds"),
        while_unit=fields.text(ask.fields, "while"),
        calendar=fields.text(ask.fields, "calendar", most=1000),
        reason=fields.text(ask.fields, "reason", most=200) or "",
        by=ask.by,
    )
    return as_json(render.silence(await control.silence(wish)))


async def resume(control: Control, ask: Ask) -> Answer:
    """End silences."""
    name, everything = fields.optional_name(ask.fields), fields.flag(ask.fields, "all")
    ended = await control.resume(name, everything=everything, by=ask.by)
    return as_json({"resumed": [render.silence(one) for one in ended]})


async def alert(control: Control, ask: Ask) -> Answer:
    """Send a test to a receiver, or to all."""
    answers = await control.try_receivers(fields.text(ask.fields, "receiver"), by=ask.by)
    return as_json({"tried": [{"receiver": name, **asdict(outcome)} for name, outcome in answers.items()]})


async def reload(control: Control, ask: Ask) -> Answer:
    """Have systemd reload the service; the answer comes when the new configuration is in force."""
    return as_json({"reloaded": True, "warnings": list(await control.reload(by=ask.by))})


async def apply(control: Control, ask: Ask) -> Answer:
    """Read the configuration again. Only for ExecReload: every reload is systemd's, and so renews the polkit rule."""
    if ask.request.client.uid not in (0, os.getuid()):
        raise RequestError(403, "only the service itself may apply the configuration", hint="healthctl reload")
    await control.apply_configuration()
    return as_json({"reloaded": True, "warnings": []})  # systemd's reload, which this is a part of, tells them


async def heartbeat(control: Control, ask: Ask) -> Answer:
    """A job reports in."""
    await control.heartbeat(ask.name, by=ask.by)
    return as_json({"heard": ask.name})


ORDERS: Final = (
    Route(
        method="POST",
        path="/api/v1/heal",
        call=heal,
        right=Right.CONTROL,
        body=("name", "action", "dry_run"),
        about="Heal something now, within all limits; the answer comes when the outcome is known.",
        answer="Finished",
        errors=(404, 409, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/check",
        call=check,
        right=Right.CONTROL,
        body=("name",),
        about="Run one check, or all of them, and say how things stand then.",
        answer="HealthStatus",
        errors=(404, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/reset",
        call=reset,
        right=Right.CONTROL,
        body=("name",),
        about="Forget attempts, waits and giving up.",
        answer="Reset",
        errors=(404, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/silence",
        call=silence,
        right=Right.CONTROL,
        body=("name", "all", "for_seconds", "while", "calendar", "reason"),
        about="Silence something for a while: it is neither healed nor alerted about, but watched.",
        answer="Silence",
        errors=(404, 409, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/resume",
        call=resume,
        right=Right.CONTROL,
        body=("name", "all"),
        about="End silences: by id or name, or all; without either the only one.",
        answer="Resumed",
        errors=(404, 409, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/alert",
        call=alert,
        right=Right.CONTROL,
        body=("receiver",),
        about="Send a test to a receiver, or to all; the answer comes when they have answered.",
        answer="Tried",
        errors=(404, 409, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/reload",
        call=reload,
        right=Right.CONTROL,
        body=(),
        about="Have the configuration read again; the answer comes when it is in force, or refused.",
        answer="Reloaded",
        errors=(422, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/apply",
        call=apply,
        right=Right.APPLY,
        body=(),
        about="What systemd has done at a reload.",
        answer="Reloaded",
        errors=(422, 503, 504),
    ),
    Route(
        method="POST",
        path="/api/v1/heartbeat/{name}",
        call=heartbeat,
        right=Right.HEARTBEAT,
        body=(),
        about="A job reports in: the component of this name has heard from it.",
        answer="Heard",
        errors=(404, 503, 504),
    ),
)
