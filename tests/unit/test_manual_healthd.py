from __future__ import annotations

import re
from pathlib import Path

import pytest

from healthd.__main__ import EX_CONFIG, _parser
from healthd.events import MESSAGE_IDS, Event

PAGE = (Path(__file__).parents[2] / "man/healthd.8").read_text(encoding="utf-8")
PLAIN = PAGE.replace("\\-", "-")


def test_the_page_lists_every_event_with_its_id_and_no_other() -> None:
    listed = dict(re.findall(r'^\.BR ([a-z_]+) " \([^)]*\)"\n\.I ([0-9a-f]{32})$', PAGE, re.MULTILINE))

    assert listed == {event.value: message_id for event, message_id in MESSAGE_IDS.items()}


@pytest.mark.parametrize("event", Event)
def test_each_event_has_a_sentence(event: Event) -> None:
    entry = PAGE.partition(MESSAGE_IDS[event])[2].splitlines()

    assert entry[1] == ".br"
    assert entry[2].endswith(".")


def test_the_page_has_every_option_of_the_parser_and_no_other() -> None:
    parsed = {option for action in _parser()._actions for option in action.option_strings}
    options = PLAIN.partition(".SH OPTIONS")[2].partition(".SH")[0]
    headings = "\n".join(re.findall(r"^\.TP\n(.*)$", options, re.MULTILINE))

    assert set(re.findall(r"(?<![\w-])--?[a-z-]+", headings)) == parsed


def test_the_page_names_the_exit_status_of_a_wrong_configuration() -> None:
    assert f".B {EX_CONFIG}\n" in PAGE.partition(".SH EXIT STATUS")[2]
