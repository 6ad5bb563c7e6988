"""What the configuration says about a text."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings

from healthd.config import load_texts
from healthd.errors import ConfigError

STEADY: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests fail for what they find, not for a machine that is busy."""


def said(**texts: str) -> list[str]:
    """The problems of these files, in one line each; the file's name is its keyword and ".toml"."""
    try:
        load_texts({f"{name}.toml": text for name, text in texts.items()})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def only(text: str) -> str:
    """The one problem of a file a.toml."""
    (problem,) = said(a=text)
    return problem
