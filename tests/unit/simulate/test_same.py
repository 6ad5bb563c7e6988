"""A record that is replayed under the settings under which it was made yields the very same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given
from hypothesis import settings as search
from hypothesis import strategies as st

from healthd.decide import engine
from healthd.decide.ledger import Name, Page
from healthd.model import Severity
from tests.fake_units import service
from tests.unit.builders import UNIT, detail
from tests.unit.decide import chances
from tests.unit.decide.chances import (
    FAILURES,
    MEDDLING,
    NAMES,
    RELATIONS,
    RESULTS,
    some_units,
    times,
    unit_names,
)
from tests.unit.simulate.taped import TapedBench, actions, attempts, messages, spoken

if TYPE_CHECKING:
    from healthd.config import Settings

EVENTS = st.one_of(
    st.tuples(st.just("fails"), unit_names, st.sampled_from(FAILURES)),
    st.tuples(st.just("fails"), unit_names, st.sampled_from(FAILURES)),
    st.tuples(st.just("comes up"), unit_names, st.none()),
    st.tuples(st.just("is meddled with"), unit_names, st.sampled_from(MEDDLING)),
    st.tuples(st.just("job ends"), unit_names, st.tuples(st.sampled_from(RESULTS), st.booleans())),
    st.tuples(st.just("job ends"), unit_names, st.tuples(st.sampled_from(RESULTS), st.booleans())),
    st.tuples(st.just("probe"), unit_names, st.booleans()),
    st.tuples(st.just("heal"), unit_names, st.none()),
    st.tuples(st.just("reset"), unit_names, st.none()),
    st.tuples(st.just("silence"), unit_names, st.none()),
    st.tuples(st.just("packages"), st.sampled_from(("apt-get holds dpkg's lock", "")), st.none()),
    st.tuples(st.just("bus"), st.booleans(), st.none()),
    st.tuples(st.just("healthd dies"), st.none(), st.none()),
    st.tuples(st.just("reboots"), st.none(), st.none()),
    st.tuples(st.just("looks"), some_units, st.none()),
)


ALERTING = st.sampled_from(
    (
        {},
        {"webhook_url": "http://127.0.0.1/"},
        {
            "webhook_url": "http://127.0.0.1/",
            "group_seconds": 0.0,
            "min_severity": Severity.LOW,
            "repeat_seconds": 60.0,
        },
        {"alertmanager_url": "http://127.0.0.1/", "repeat_seconds": 0.0},
        {"webhook_url": "http://127.0.0.1/", "notify_healed": True, "group_seconds": 30.0},
    )
)
configurations = st.builds(
    lambda base, said: replace(base, alerting=replace(base.alerting, **said)), chances.configurations, ALERTING
)


def happens(bench: TapedBench, what: str, who: Any, how: Any) -> None:  # noqa: C901, PLR0912  one line an event
    match what:
        case "fails" | "is meddled with":
            bench.set(who, **how)
        case "comes up":
            bench.bring_up(who)
        case "job ends":
            if how[1]:
                bench.bring_up(who)
            bench.end_job(who, how[0])
        case "probe":
            bench.probes[who] = how
        case "heal":
            bench.order(who)
        case "reset":
            bench.reset(who)
        case "silence":
            bench.silence(seconds=100.0)
        case "packages":
            bench.package_work = who
        case "bus":
            bench.units.connected = who
        case "healthd dies":
            bench.restart_healthd()
        case "reboots":
            bench.pass_time(60.0)
            bench.reboot()
        case _:
            bench.turn(who)
            return
    bench.turn(None, everything=what == "reset")


def recorded(
    configuration: Settings, relations: dict[str, str], story: list[Any], *, fresh: bool = False
) -> TapedBench:
    below = {name: (relations[name],) if name in relations else () for name in NAMES}
    units = (service(name, detail=detail(requires=below[name])) for name in NAMES)
    bench = TapedBench(*units, configuration=configuration, fresh=fresh)
    for event, pause in story:
        happens(bench, *event)
        bench.later(min(pause, 5000.0))
    return bench


@search(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    configuration=configurations,
    fresh=st.booleans(),
    relations=st.sampled_from(RELATIONS),
    story=st.lists(st.tuples(EVENTS, times), min_size=1, max_size=20),
)
def test_the_same_settings_do_the_very_same(
    configuration: Settings, fresh: bool, relations: dict[str, str], story: list[Any]
) -> None:
    bench = recorded(configuration, relations, story, fresh=fresh)

    replayed = bench.replayed()

    assert spoken(replayed.would) == spoken(replayed.was)
    assert sum(each.deed.kind == "started" for each in replayed.was) == attempts(bench)
    assert messages(replayed.was) == [why for why in bench.told.values() if why != "alive"]
    assert not replayed.guesses


def test_trust_that_a_reset_gives_back_to_what_has_no_issue_is_on_the_tape() -> None:
    bench, start = TapedBench(service(UNIT)), Name(UNIT, "signal", "start_unit")
    bench.state = replace(bench.state, ledger={start: Page(failed=6, in_a_row=6, distrusted_at=bench.moment().now)})
    bench.write()
    bench.restart_healthd()
    bench.turn()
    bench.state = engine.reset(bench.state, [], [UNIT])
    bench.tape.reset([], [UNIT])
    bench.kill(UNIT)
    bench.turn([UNIT])

    replayed = bench.replayed()

    assert actions(replayed.was) == [(UNIT, "start_unit")]
    assert spoken(replayed.would) == spoken(replayed.was)


@search(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    configuration=configurations,
    other=configurations,
    relations=st.sampled_from(RELATIONS),
    story=st.lists(st.tuples(EVENTS, times), min_size=1, max_size=20),
)
def test_other_settings_are_kept_to_and_every_replay_ends_the_same(
    configuration: Settings, other: Settings, relations: dict[str, str], story: list[Any]
) -> None:
    bench = recorded(configuration, relations, story)

    replayed = bench.replayed(other)

    assert spoken(replayed.would) == spoken(bench.replayed(other).would)
    limits = other.auto_healing
    begun = [each for each in replayed.would if each.deed.kind == "started"]
    if limits.host_budget_actions and limits.host_budget_seconds:
        for later, sooner in zip(begun[limits.host_budget_actions :], begun, strict=False):
            # What had been done before the replay began, and a clock that a reboot set back, only make it less.
            assert later.now - sooner.now >= limits.host_budget_seconds - 1e-3 or later.now < sooner.now
    if limits.dry_run or not other.health.auto_healing_enabled:
        assert all(each.deed.by for each in begun)
    assert not any(limits.dry_run for _ in begun)
