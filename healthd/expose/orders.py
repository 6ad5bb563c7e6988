"""What a client with full control may order: the POST half of the API."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from healthd.errors import RequestError
from healthd.expose import fields, render
from healthd.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from healthd.ports import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: the fields of its body, whose process the kernel says sent it, and who asks, as they claim."""

    body: Mapping[str, object]
    uid: int | None
    by: str


async def heal(control: Control, order: Order) -> dict[str, Any]:
    """Heal something now, through the same decision as always."""
    name = fields.name(order.body)
    action = fields.choice(order.body, "action", ActionKind)
    dry_run = fields.flag(order.body, "dry_run")
    return render.finished(await control.heal(name, action, dry_run=dry_run, by=order.by))


async def check(control: Control, order: Order) -> dict[str, Any]:
    """Run one check, or all of them, and say how things stand then."""
    return render.status(await control.check(fields.optional_name(order.body), by=order.by))


async def reset(control: Control, order: Order) -> dict[str, Any]:
    """Forget attempts, backoff and gave_up."""
    return {"reset": list(await control.reset(fields.name(order.body), by=order.by))}


async def reload(control: Control, order: Order) -> dict[str, Any]:
    """Have systemd reload the service; the answer comes when the new configuration is in force."""
    await control.reload(by=order.by)
    return {"reloaded": True}


async def apply(control: Control, order: Order) -> dict[str, Any]:
    """Read the configuration again. Only for ExecReload: every reload is systemd's, and so renews the polkit rule."""
    if order.uid not in (0, os.getuid()):
        raise RequestError(403, "only the service itself may apply the configuration", hint="healthctl reload")
    await control.apply_configuration()
    return {"reloaded": True}


if TYPE_CHECKING:
    Carry = Callable[[Control, Order], Awaitable[dict[str, Any]]]

# Each with the fields that its body may have.
ORDERS: Final[dict[str, tuple[Carry, tuple[str, ...]]]] = {
    "/api/v1/heal": (heal, ("name", "action", "dry_run")),
    "/api/v1/check": (check, ("name",)),
    "/api/v1/reset": (reset, ("name",)),
    "/api/v1/reload": (reload, ()),
    "/api/v1/apply": (apply, ()),
}
