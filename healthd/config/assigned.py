"""Single values that somebody says on a command line, as fragments of a configuration: `auto_healing.dry_run=true`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import tomli

from healthd.errors import ConfigError
from healthd.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable


def assigned(values: Iterable[str], option: str) -> dict[str, str]:
    """The text of each of these, by the name that it has in messages. What is no value of TOML is taken for a text.

    Raises `ConfigError` for what assigns nothing. `option`: how they are given, for messages.
    """
    texts, problems = {}, []
    for value in values:
        key, equals, said = value.partition("=")
        if '"' in key and key.count('"') % 2:  # the name of a unit may hold a "="
            inner, _, rest = said.partition('"')
            name, equals, said = rest.partition("=")
            key = f'{key}={inner}"{name}'
        name = f"{option} {value}"
        if not equals or not key.strip():
            allowed = 'write TABLE.KEY=VALUE, as health.max_healing_attempts=2 or services."web.service".critical=true'
            problems.append(Problem(file=name, line=None, key="", found="this assigns nothing", allowed=allowed))
        texts[name] = f"{key.strip()} = {said.strip() if _is_value(said) else json.dumps(said)}"
    if problems:
        raise ConfigError(problems)
    return texts


def _is_value(text: str) -> bool:
    try:
        tomli.loads(f"it = {text}")
    except ValueError:
        return False
    return True
