"""Write docs/help.md anew from the command line's own options: ``.venv/bin/python docs/regenerate.py``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args

from typer.models import ArgumentInfo, CommandInfo

from kantor.cli import app

PAGE = Path(__file__).with_name("help.md")

INTRODUCTION = """# All commands and options

`kantor COMMAND --help` says the same. This page is written by `docs/regenerate.py`, from the options themselves.
"""


def help_page() -> str:
    """The page, in Markdown: a heading for each command, a table of what it takes."""
    groups = [
        _section(command, f"{group.name} ")
        for group in app.registered_groups
        if group.typer_instance is not None
        for command in group.typer_instance.registered_commands
    ]
    return "\n".join([INTRODUCTION, *map(_section, app.registered_commands), *groups])


def _section(command: CommandInfo, within: str = "") -> str:
    assert command.callback is not None
    name = within + (command.name or command.callback.__name__)
    taken = inspect.signature(command.callback, eval_str=True).parameters.values()
    arguments = [p.name.upper() for p in taken if isinstance(_info(p), ArgumentInfo)]
    usage = " ".join(["kantor", name, *arguments, "[OPTIONS]"])
    rows = [f"| {_names(p)} | {(_info(p).help or '').replace('|', '/')} | {_default(p)} |" for p in taken]
    table = ["| option | meaning | default |", "|---|---|---|", *rows]
    return "\n".join([f"## {name}", "", inspect.getdoc(command.callback) or "", "", f"    {usage}", "", *table, ""])


def _info(parameter: inspect.Parameter) -> Any:
    return get_args(parameter.annotation)[1]


def _names(parameter: inspect.Parameter) -> str:
    info = _info(parameter)
    if isinstance(info, ArgumentInfo):
        return f"`{parameter.name.upper()}`"
    given = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    value = _value(get_args(parameter.annotation)[0])
    return ", ".join(f"`{name}{value}`" for name in given or [f"--{parameter.name.replace('_', '-')}"])


def _value(kind: Any) -> str:
    """What follows an option: " INT" for ``int | None``, " PATH" for ``list[Path]``, nothing for a flag."""
    while within := [inner for inner in get_args(kind) if inner is not type(None)]:
        kind = within[0]
    return "" if kind is bool else f" {kind.__name__.upper()}"


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "required"
    return "" if parameter.default is None or parameter.default is False else f"`{parameter.default}`"


if __name__ == "__main__":
    PAGE.write_text(help_page(), encoding="utf-8")
