"""The polkit rule, run by a JavaScript engine of the kind that polkit has."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from healthd.config import load_texts, permitted
from healthd.config.rule import OWN_UNITS, VERBS, render_refusal, render_rule
from healthd.config.show import toml_value
from tests.unit.config.said import STEADY, said

if TYPE_CHECKING:
    from healthd.config import Settings

MANAGE_UNITS: Final = "org.freedesktop.systemd1.manage-units"

# What polkit gives to a rule, and a main program that asks the rule about each case and prints the answers.
_POLKIT: Final = """
var rules = [];
var polkit = {
    Result: { YES: "yes", NO: "no", NOT_HANDLED: "not handled" },
    addRule: function (rule) { rules.push(rule); }
};
"""
_ASK: Final = """
print(JSON.stringify(cases.map(function (one) {
    var details = { unit: one.unit, verb: one.verb, "polkit.message": one.message };
    var action = { id: one.id, lookup: function (key) { return details[key]; } };
    var subject = { user: one.user };
    if ("system_unit" in one) { subject.system_unit = one.system_unit; }
    return rules[0](action, subject);
})));
"""


def ask(rule: str, *cases: dict[str, Any]) -> list[str]:
    """What the rule answers in each case: "yes", "no" or "not handled"."""
    asked = [
        {"id": MANAGE_UNITS, "user": "healthd", "message": VERBS.get(case.get("verb", ""), "another"), **case}
        for case in cases
    ]
    program = f"{_POLKIT}{rule}\nvar cases = {json.dumps(asked)};{_ASK}"
    done = subprocess.run(["duk", "/dev/stdin"], input=program, capture_output=True, text=True, check=True, timeout=60)
    answers: list[str] = json.loads(done.stdout)
    return answers


def answer(rule: str, unit: str, verb: str = "restart", **case: str) -> str:
    return ask(rule, {"unit": unit, "verb": verb, **case})[0]


def rule_of(text: str = "") -> str:
    return render_rule(load_texts({"a": text}))


@pytest.mark.parametrize("verb", VERBS)
def test_the_four_verbs_are_granted_on_a_permitted_unit(verb: str) -> None:
    assert answer(rule_of(), "nginx.service", verb) == "yes"


@pytest.mark.parametrize(
    "verb",
    ["stop", "kill", "try-restart", "reload-or-restart", "set-property", "freeze", "thaw", "clean", "ref", ""],
)
def test_no_other_verb_is_granted(verb: str) -> None:
    assert answer(rule_of(), "nginx.service", verb) == "no"


@pytest.mark.parametrize("unit", ["dbus.service", "systemd-poweroff.service", "debug-shell.service", "user@0.service"])
def test_a_protected_unit_is_refused(unit: str) -> None:
    assert answer(rule_of('[auto_healing]\nallow = ["*"]\n'), unit, "start") == "no"


@pytest.mark.parametrize("unit", ["nginx.socket", "multi-user.target", "a.service\n", "a b.service", "", "a@.service"])
def test_what_is_not_allowed_is_refused(unit: str) -> None:
    assert answer(rule_of(), unit, "start") == "no"


def test_a_request_without_unit_or_verb_is_refused() -> None:
    """So systemd 252 asks for a transient unit: falling through to yes would give away root."""
    rule = rule_of('[auto_healing]\nallow = ["*"]\n')

    assert ask(rule, {}, {"unit": "a.service"}, {"verb": "start"}) == ["no", "no", "no"]


@pytest.mark.parametrize("message", ["Authentication is required to start transient unit '$(unit)'.", "", "another"])
def test_a_start_of_another_kind_than_that_of_a_unit_is_refused(message: str) -> None:
    """So systemd 257 asks for a transient unit: with a unit, the verb start, and only the message to tell."""
    units = ["nginx.service", *OWN_UNITS]

    answers = ask(rule_of(), *({"unit": unit, "verb": "start", "message": message} for unit in units))

    assert set(answers) == {"no"}


def test_other_users_and_other_actions_are_left_to_other_rules() -> None:
    rule = rule_of()

    answers = ask(
        rule,
        {"unit": "nginx.service", "verb": "restart", "user": "root"},
        {"unit": "nginx.service", "verb": "restart", "user": "healthd2"},
        {"unit": "nginx.service", "verb": "restart", "id": "org.freedesktop.systemd1.manage-unit-files"},
    )

    assert answers == ["not handled", "not handled", "not handled"]


def test_a_process_of_the_user_that_is_not_the_daemon_is_refused_where_polkit_can_tell() -> None:
    rule = rule_of()

    assert answer(rule, "nginx.service", system_unit="healthd.service") == "yes"
    assert answer(rule, "nginx.service", system_unit="healthd-deliver.service") == "no"
    assert answer(rule, "nginx.service", system_unit="") == "no"


def test_own_units_may_be_started_and_nothing_else() -> None:
    rule = rule_of()
    units = [*OWN_UNITS, "healthd-check@load.service"]

    assert ask(rule, *({"unit": unit, "verb": "start"} for unit in units)) == ["yes"] * len(units)
    assert set(ask(rule, *({"unit": unit, "verb": verb} for unit in units for verb in VERBS if verb != "start"))) == {
        "no"
    }


def test_healthd_may_reload_itself_and_nothing_else() -> None:
    answers = ask(rule_of(), *({"unit": "healthd.service", "verb": verb} for verb in VERBS))

    assert dict(zip(VERBS, answers, strict=True)) == {
        "start": "no",
        "restart": "no",
        "reload": "yes",
        "reset-failed": "no",
    }


def test_a_unit_that_an_action_runs_may_be_started_though_it_is_not_allowed() -> None:
    rule = rule_of(
        '[auto_healing]\nallow = ["nginx.service"]\n'
        '[services."nginx.service"]\nactions = ["run_unit:nginx-repair.service"]\n'
    )

    assert answer(rule, "nginx-repair.service", "start") == "yes"
    assert answer(rule, "nginx-repair.service", "restart") == "no"
    assert answer(rule, "other.service", "start") == "no"


def test_the_refusal_grants_nothing() -> None:
    rule = render_refusal()

    assert answer(rule, "nginx.service") == "no"
    assert answer(rule, "healthd.service", "reload") == "no"
    assert answer(rule, "nginx.service", user="root") == "not handled"


def test_the_rule_is_plain_ascii_of_the_old_javascript() -> None:
    rule = rule_of('[auto_healing]\nallow = ["a\\\\x2d*.service"]\n')

    assert rule.isascii()
    assert "=>" not in rule
    assert answer(rule, "a\\x2db.service") == "yes"


_PATTERNS = st.text(alphabet="ab*?[!^-]@.\\x:", min_size=1, max_size=10).flatmap(
    lambda stem: st.sampled_from([stem, f"{stem}*", f"{stem}.service", f"{stem}.*"])
)
_NAMES = st.text(alphabet="ab-@.\\x:_", min_size=1, max_size=8).flatmap(
    lambda stem: st.sampled_from([f"{stem}.service", f"{stem}.socket", stem])
)
_KNOWN = ["dbus.socket", "systemd-networkd.service", "systemd-a.service", "getty@tty1.service", "healthd-x.timer"]


@st.composite
def configurations(draw: st.DrawFn) -> Settings:
    lists = {key: draw(st.lists(_PATTERNS, min_size=1, max_size=3)) for key in ("allow", "protect")}
    good = {
        key: [one for one in ones if not said(a=f"[auto_healing]\n{key} = [{toml_value(one)}]")]
        for key, ones in lists.items()
    }
    good["protect"] += draw(st.lists(st.sampled_from(["!dbus*", "!systemd-*", "!getty@*", "!healthd*"]), max_size=2))
    good["allow"] += draw(st.lists(st.sampled_from(["*", "*.service", "getty@*"]), max_size=1))
    return load_texts(
        {"a": f"[auto_healing]\nallow = {toml_value(good['allow'])}\nprotect = {toml_value(good['protect'])}\n"}
    )


@tuned(STEADY, max_examples=60)
@given(configurations(), st.lists(_NAMES, min_size=20, max_size=60))
def test_the_rule_and_the_daemon_judge_every_unit_alike(settings: Settings, names: list[str]) -> None:
    units = [*names, *_KNOWN]

    answers = ask(render_rule(settings), *({"unit": unit, "verb": "restart"} for unit in units))

    assert answers == ["yes" if permitted(settings, unit) is None else "no" for unit in units]
