"""`healthctl recipe`: what the package knows about usual services, turned on and off."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from healthd.cli.shelf import Shelf
from healthd.cli.status import show
from healthd.cli.switch import switch
from healthd.cli.text import BOLD, DIM, GREEN, columns, plain, terminal_style
from healthd.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.shelf import Recipe
    from healthd.cli.text import Style


def run(args: Namespace) -> int:
    """Carry out `recipe list`, `show`, `enable` or `disable`."""
    shelf = Shelf()
    match args.part:
        case "list":
            recipes = shelf.all()
            show(args, [_value(one) for one in recipes], page(recipes, terminal_style()))
            return 0
        case "show":
            return _show(args, shelf.named(args.name))
        case part:
            if os.geteuid() != 0:
                hint = f"sudo healthctl recipe {part} {' '.join(args.names)}"
                raise RequestError(403, "only root may turn recipes on and off", hint=hint)
            return switch(shelf, dict.fromkeys(args.names), args.socket, on=part == "enable")


def page(recipes: Sequence[Recipe], style: Style) -> list[str]:
    """A line each: what is on first, then what fits this host."""
    rows = []
    for one in sorted(recipes, key=lambda recipe: (not recipe.enabled, not recipe.fits, recipe.name)):
        word, shown = _state(one, style)
        name = style.paint(plain(one.name), BOLD if one.fits else DIM)
        rows.append([(word, shown), (plain(one.name), name), (plain(one.about), plain(one.about))])
    on, fitting = sum(one.enabled for one in recipes), sum(one.fits and not one.enabled for one in recipes)
    end = f"{len(recipes)} recipes, {on} on, {fitting} more for what is installed here"
    hint = "sudo healthctl recipe enable NAME" if fitting else "healthctl recipe show NAME"
    return [*columns(rows), "", f"{end} ({hint})"]


def _state(recipe: Recipe, style: Style) -> tuple[str, str]:
    if recipe.own:
        return "own file", style.paint("own file", GREEN)
    if recipe.enabled:
        return "on", style.paint("on", GREEN)
    return ("fits here", "fits here") if recipe.fits else ("", "")


def _show(args: Namespace, recipe: Recipe) -> int:
    text = recipe.path.read_text(encoding="utf-8", errors="replace")
    if args.json:
        show(args, {**_value(recipe), "text": text}, [])
    else:
        sys.stdout.write(text)
    return 0


def _value(recipe: Recipe) -> Mapping[str, Any]:
    return {
        "name": recipe.name,
        "about": recipe.about,
        "first": recipe.first,
        "enabled": recipe.enabled,
        "fits": recipe.fits,
        "own_file": recipe.own,
        "path": str(recipe.path),
        "links": [str(link) for link in recipe.links],
        "components": list(recipe.components),
        "units": [{"name": name, "installed": installed} for name, installed in recipe.units.items()],
    }
