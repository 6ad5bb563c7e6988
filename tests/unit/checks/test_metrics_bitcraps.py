"""The recipe of the seed's system against the seed's own function, at every number of peers that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks import metrics
from healthd.checks.metrics import Page, Reading
from healthd.config import load_texts
from healthd.config.components import BUILT_IN
from healthd.model import Status
from tests.contract.source import ROOT

if TYPE_CHECKING:
    from healthd.model import Item

RECIPE: Final = (ROOT / "etc/recipes/bitcraps.toml").read_text(encoding="utf-8")
SETTINGS: Final = load_texts({"bitcraps.toml": RECIPE})
PEERS, ERRORS = "bitcraps_network_active_connections", "bitcraps_network_errors_total"
WEIGHTS: Final = {"consensus": 0.35, "network": 0.25, "memory": 0.20, "gaming": 0.15, "storage": 0.05}


def seed_score(peers: int, errors: int) -> float:
    """`check_network_health` of the seed, arm by arm."""
    match (peers, errors):
        case (0, _):
            return 0.0
        case (1 | 2, _) if errors > 10:
            return 0.3
        case (1 | 2, _):
            return 0.6
        case _ if 3 <= peers <= 10 and errors > 5:
            return 0.7
        case _ if 3 <= peers <= 10:
            return 0.9
        case _ if errors > 0:
            return 0.8
        case _:
            return 1.0


def judged(component: str, **grown: float) -> Item:
    """The item of a component after an interval in which its numbers became these, from nothing."""
    chosen = metrics.options(SETTINGS, component)
    before = Reading(at=0.0, page=Page(at=0.0, numbers={}))
    reading = Reading(at=30.0, page=Page(at=30.0, numbers=grown))
    assessment = metrics.assess(reading, before, chosen)
    rules = Rules(failures=SETTINGS.component[component].failures, successes=SETTINGS.component[component].successes)
    ((item,),) = (judge({}, assessment, rules, 30.0)[1].items,)
    return item


@pytest.mark.parametrize("errors", [0, 1, 5, 6, 10, 11, 1000])
@pytest.mark.parametrize("peers", [0, 1, 2, 3, 10, 11, 5000])
def test_the_score_of_the_network_is_the_seeds(peers: int, errors: int) -> None:
    item = judged("network", **{PEERS: peers, ERRORS: errors})

    assert item.score == seed_score(peers, errors)


def test_no_peers_are_unhealthy_and_not_unknown() -> None:
    assert judged("network", **{PEERS: 0, ERRORS: 0}).status is Status.UNHEALTHY


@pytest.mark.parametrize(
    ("errors", "status"), [(0, "healthy"), (3, "healthy"), (4, "degraded"), (10, "degraded"), (11, "unhealthy")]
)
def test_errors_of_the_consensus_are_held_against_the_seeds_thresholds(errors: int, status: str) -> None:
    assert judged("consensus", bitcraps_consensus_errors_total=errors).status == status


def test_games_are_shown() -> None:
    item = judged("gaming", bitcraps_gaming_active_games=12)

    assert (item.message, item.score) == ("games 12", 1.0)


def test_the_five_components_weigh_what_they_do_in_the_seed_and_all_others_nothing() -> None:
    weights = {name: component.weight for name, component in SETTINGS.component.items()}

    assert weights == {**dict.fromkeys(BUILT_IN, 0.0), **WEIGHTS}


def test_the_thresholds_are_the_seeds() -> None:
    seed = load_texts({"seed.toml": (ROOT / "tests/unit/config/seed.toml").read_text(encoding="utf-8")})

    assert SETTINGS.thresholds == seed.thresholds
