"""The polkit rule that lets the daemon's user act on exactly the units that the configuration permits.

It is JavaScript of the old kind (ES5), which polkit's interpreter wants. The patterns in it are the expressions of
`config/patterns.py`, so that polkit and the daemon judge every unit alike, also one that is made later.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from healthd.config.chores import CHORES
from healthd.config.patterns import UNIT_NAME, UNIT_NAME_MAX, protection, repair_units, translate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.config.settings import Settings

VERBS: Final = {
    "start": "Authentication is required to start '$(unit)'.",
    "restart": "Authentication is required to restart '$(unit)'.",
    "reload": "Authentication is required to reload '$(unit)'.",
    "reset-failed": "Authentication is required to reset the \"failed\" state of '$(unit)'.",
}
"""What may be granted: systemd's verbs, each with the message by which systemd 252 and 257 ask for it."""

OWN_UNITS: Final = tuple(unit for chore in CHORES.values() for unit in (chore.unit, chore.rehearsal))
"""Units of healthd itself that it may start."""

_CHECK_UNITS: Final = "healthd-check@?*.service"
_HEAD: Final = """\
// Written by healthd from its configuration at each start and reload. Changes made here are lost:
// see [auto_healing] allow and protect in healthd.toml(5), or put a rule of your own in a file that sorts before this.
"""
_QUESTION: Final = """\
polkit.addRule(function (action, subject) {
    if (action.id !== "org.freedesktop.systemd1.manage-units" || subject.user !== "healthd") {
        return polkit.Result.NOT_HANDLED;
    }
"""
_RULE: Final = (
    _HEAD
    + """\
(function () {

// Expressions are made once, when polkit reads this file: a heal waits for each of its questions to be answered.
function made(patterns) {
    return patterns.map(function (pattern) {
        return new RegExp("^(?:" + pattern + ")$");
    });
}

function matches(expressions, unit) {
    return expressions.some(function (expression) {
        return expression.test(unit);
    });
}

var requests = @VERBS@;
var name = made([@NAME@]);
var allowed = made(@ALLOWED@);
// Each a pattern, and the patterns of what it does not cover.
var protectedUnits = @PROTECTED@.map(function (entry) {
    return {covers: made([entry[0]]), except: made(entry[1])};
});
var startable = @STARTABLE@;
var startablePatterns = made(@STARTABLE_PATTERNS@);

"""
    + _QUESTION
    + """\
    // Known since polkit 126: a process of this user that is not the daemon gets nothing.
    if (subject.system_unit !== undefined && subject.system_unit !== null
            && subject.system_unit !== "healthd.service") {
        return polkit.Result.NO;
    }
    var unit = action.lookup("unit");
    var verb = action.lookup("verb");
    // Whoever may run a transient unit is root. Such a request has no unit and no verb under systemd 252, but under 257
    // it has both, the verb being "start": only the message tells it from the start of a unit that exists.
    if (typeof unit !== "string" || typeof verb !== "string" || !requests.hasOwnProperty(verb)
            || action.lookup("polkit.message") !== requests[verb]) {
        return polkit.Result.NO;
    }
    if (unit.length > @LENGTH@ || !matches(name, unit)) {
        return polkit.Result.NO;
    }
    if (verb === "reload" && unit === "healthd.service") {
        return polkit.Result.YES;
    }
    if (verb === "start" && (startable.indexOf(unit) >= 0 || matches(startablePatterns, unit))) {
        return polkit.Result.YES;
    }
    var isProtected = protectedUnits.some(function (entry) {
        return matches(entry.covers, unit) && !matches(entry.except, unit);
    });
    return !isProtected && matches(allowed, unit) ? polkit.Result.YES : polkit.Result.NO;
});

}());
"""
)
_REFUSAL: Final = (
    _HEAD
    + _QUESTION
    + """\
    // The configuration is invalid: nothing is granted until it is mended.
    return polkit.Result.NO;
});
"""
)


def render_rule(settings: Settings) -> str:
    """The rule under these settings."""
    entries = protection(settings.auto_healing.protect)
    parts = {
        "@NAME@": _json(UNIT_NAME),
        "@LENGTH@": str(UNIT_NAME_MAX),
        "@VERBS@": _json(VERBS),
        "@ALLOWED@": _json(map(translate, settings.auto_healing.allow)),
        "@PROTECTED@": _json(
            [translate(entry.pattern), [translate(exception) for exception in entry.exceptions]] for entry in entries
        ),
        "@STARTABLE@": _json((*OWN_UNITS, *repair_units(settings))),
        "@STARTABLE_PATTERNS@": _json([translate(_CHECK_UNITS)]),
    }
    text = _RULE
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def render_refusal() -> str:
    """A rule that grants nothing and leaves no other rule to do so."""
    return _REFUSAL


def _json(value: Iterable[object] | str) -> str:
    """A value as JavaScript reads it: pure ASCII, so that no character can end the text it stands in."""
    return json.dumps(value if isinstance(value, str | dict) else list(value))
