"""Units of which healthd only suggests what to do."""

from __future__ import annotations

from typing import Any

from healthd.config import Heal, UnitSettings
from healthd.decide.case import Case
from healthd.decide.happenings import Held
from healthd.decide.ledger import Name
from healthd.decide.state import EngineState, Key
from healthd.decide.suggest import suggested
from healthd.model import HoldReason, IssueType
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, moment, settings, ticket
from tests.unit.decide.bench import Bench, broken, healed


def suggesting(**table: Any) -> Bench:
    return broken(configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST, **table)}))


def test_a_suggestion_says_what_why_and_how() -> None:
    bench = suggesting()
    (held,) = bench.of(Held)

    assert held.text == (
        "start_unit is called for (it did not end by itself, so a start brings it back), but its table says "
        'heal = "suggest"; if it seems right to you: healthctl heal web.service'
    )
    assert bench.tickets()[f"{UNIT} service_down"].suggested == "start_unit"
    bench.turn(everything=True)
    bench.later(1000.0)
    assert len(bench.of(Held)) == 1


def test_a_suggestion_that_somebody_follows_is_written_down_and_gone() -> None:
    bench = suggesting()
    bench.order(UNIT)
    bench.turn()
    assert bench.tickets()[f"{UNIT} service_down"].suggested == ""
    healed(bench)

    assert bench.state.ledger[Name(UNIT, "signal", "start_unit")].helped == 1


def test_a_suggestion_for_a_probe_names_what_healthctl_finds() -> None:
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))
    bench.probes[UNIT] = False
    bench.turn()

    assert "restart_unit is called for" in bench.of(Held)[0].text
    assert bench.of(Held)[0].text.endswith(": healthctl heal probes/web.service")


def test_a_job_of_a_suggest_only_unit_is_suggested_and_not_run() -> None:
    once = service(UNIT, active="inactive", sub="dead", detail=detail(service_type="oneshot"))
    bench = Bench(once, configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))
    bench.set(UNIT, active="failed", sub="failed", result="exit-code", code=1, exit_status=1)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.SUGGEST]
    assert bench.tickets()[f"{UNIT} job_failed"].suggested == "start_unit"


def test_what_has_no_remedy_is_not_suggested() -> None:
    leak = ticket(Key("memory", "", IssueType.HIGH_MEMORY), unit=UNIT)
    case = Case(
        settings=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}),
        state=EngineState(seed=1, tickets={}),
        moment=moment(units=[service(UNIT)]),
        ticket=leak,
    )

    assert suggested(case) is None


def test_what_is_about_to_come_up_by_itself_is_not_suggested_to_anybody() -> None:
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))
    bench.package_work = "apt-get holds dpkg's lock"
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.PACKAGE_UPGRADE]
