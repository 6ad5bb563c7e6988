"""healthctl alert test against the API on real sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from healthd.errors import RequestError
from healthd.letters import Outcome
from tests.unit.expose.fake_control import FakeControl
from tests.unit.expose.tried import TRIED

if TYPE_CHECKING:
    from tests.integration.conftest import Run


def test_each_receivers_answer_is_a_line_and_one_that_failed_is_the_exit_code(run: Run) -> None:
    control = FakeControl()
    code, out, _ = run(control, "alert", "test")

    assert control.told[0][:2] == ("alert", None)
    assert code == 1
    assert [line.split(maxsplit=2) for line in out.splitlines()] == [
        ["slack", "ok", "taken within 0.12 s"],
        ["webhook", "failed", "it answered 404: no such hook"],
    ]


def test_one_receiver_may_be_named(run: Run) -> None:
    control = FakeControl()
    run(control, "alert", "test", "slack")

    assert control.told[0][:2] == ("alert", "slack")


def test_json_is_the_answer_of_the_api(run: Run) -> None:
    _, out, _ = run(FakeControl(), "alert", "test", "--json")
    tried = json.loads(out)["tried"]

    assert {each.pop("receiver"): Outcome(**each) for each in tried} == TRIED


def test_that_nobody_is_to_be_told_is_one_line_with_a_hint(run: Run) -> None:
    fault = RequestError(409, "nobody is to be told: no receiver is set up", hint="man healthd.toml")
    code, _, err = run(FakeControl(fault=fault), "alert", "test")

    assert (code, err) == (1, "healthctl: nobody is to be told: no receiver is set up (man healthd.toml)\n")
