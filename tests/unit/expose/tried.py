"""What receivers made of a test, as the API answers with it."""

from __future__ import annotations

from typing import Final

from healthd.letters import Outcome

TRIED: Final = {
    "slack": Outcome(ok=True, text="taken within 0.12 s", took=0.5),
    "webhook": Outcome(ok=False, text="it answered 404: no such hook", took=0.4),
}
