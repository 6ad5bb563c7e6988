"""/usr/lib/healthd/write-policy: write the polkit rule from the configuration, as root, at each start and reload.

It always ends with 0 and leaves it to the daemon to report a wrong configuration: were it to fail, systemd would
restart the service for ever in spite of RestartPreventExitStatus=.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.config import load
from healthd.config.rule import RULE_FILE, render_refusal, render_rule
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PUBLIC: Final = 0o644  # polkitd is not root and must read it


def main(argv: Sequence[str] | None = None) -> int:
    """Write the rule; say on stderr, in one line, what changed or why nothing could. Returns 0."""
    parser = argparse.ArgumentParser(prog="write-policy", description="Write healthd's polkit rule.")
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument("--at-start", action="store_true", help="a wrong configuration leaves a rule that grants nothing")
    when.add_argument("--at-reload", action="store_true", help="a wrong configuration leaves the old rule")
    parser.add_argument("--config", type=Path, metavar="FILE", help="read this in place of /etc/healthd/healthd.toml")
    parser.add_argument("--output", type=Path, metavar="FILE", default=Path(RULE_FILE), help="write this (%(default)s)")
    arguments = parser.parse_args(argv)
    said = write_policy(arguments.config, arguments.output, keep_on_error=arguments.at_reload)
    if said:
        sys.stderr.write(f"{said}\n")
    return 0


def write_policy(config: Path | None, output: Path, *, keep_on_error: bool) -> str:
    """Write the rule for a configuration to `output`. Returns what there is to say, "" if nothing changed."""
    try:
        rule, about = render_rule(load(config)), "the units that the configuration permits"
    except ConfigError as error:
        count = len(error.problems)
        wrong = f"the configuration has {count} {'problem' if count == 1 else 'problems'} (healthctl config check)"
        if keep_on_error:
            return f"polkit rule left as it is: {wrong}"
        rule, about = render_refusal(), f"nothing: {wrong}"
    try:
        if _holds(output, rule):
            return ""
        _replace(output, rule)
    except FileNotFoundError:
        return f"polkit rule not written, healing is off: there is no {output.parent}; is polkitd installed?"
    except OSError as error:
        return f"polkit rule not written to {output}: {error.strerror or error}"
    return f"polkit rule written to {output}: it grants {about}"


def _holds(output: Path, rule: str) -> bool:
    """Whether the file has this content and can be read by polkitd."""
    try:
        with output.open("rb") as file:
            public = os.fstat(file.fileno()).st_mode & 0o777 == _PUBLIC
            return public and file.read() == rule.encode()
    except FileNotFoundError:
        return False


def _replace(output: Path, rule: str) -> None:
    """Put the rule in place in one step: polkitd reads the folder at each change and must never see half of it."""
    # Nor may the name end in .rules. It is always the same, so that a power cut leaves no litter behind.
    temporary = output.with_name(f".{output.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, _PUBLIC)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(descriptor, _PUBLIC)
            file.write(rule)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
