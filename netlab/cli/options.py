"""What every command takes, before its name and after it; and the options that several have."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.core

from netlab.errors import NetlabError

# --- what every command takes ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Shared:
    """The options that every command has."""

    host: bool = False
    sandbox: str = "default"
    course: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    wait: float = 60.0


SHARED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "host": (
        ("--host",),
        {"is_flag": True, "envvar": "NETLAB_HOST", "help": "On this machine's own network, as root."},
    ),
    "sandbox": (("--sandbox",), {"metavar": "NAME", "help": "Which sandbox.  [default: default]"}),
    "course": (("--course",), {"metavar": "DIR", "help": "Another course than Docker's bridge."}),
    "json": (("--json",), {"is_flag": True, "help": "Machine-readable output on stdout."}),
    "quiet": (("--quiet", "-q"), {"is_flag": True, "help": "Only what is wrong."}),
    "verbose": (("-v", "--verbose"), {"is_flag": True, "help": "Each real process as it runs."}),
    "wait": (
        ("--wait",),
        {"metavar": "SECONDS", "type": float, "help": "How long to wait for another netlab.  [default: 60]"},
    ),
}


def _shared_options() -> list[typer.core.TyperOption]:
    def keep(context: Any, parameter: Any, value: Any) -> None:
        shared = context.find_root().ensure_object(Shared)
        if value is not None and value is not False:  # given after the name, or before it: either counts
            setattr(shared, parameter.name, value)

    return [
        typer.core.TyperOption(param_decls=[*flags, key], expose_value=False, callback=keep, default=None, **settings)
        for key, (flags, settings) in SHARED.items()
    ]


class Command(typer.core.TyperCommand):
    """A command, with what every command takes."""

    def __init__(self, *arguments: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*arguments, params=[*(params or []), *_shared_options()], **settings)


class Group(typer.core.TyperGroup):
    """A command with commands below it: what they all take may stand before their names, too."""

    def __init__(self, *arguments: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*arguments, params=[*(params or []), *_shared_options()], **settings)


# --- what several take -----------------------------------------------------------------------------------------------


def complete(incomplete: str) -> list[str]:
    """Step names for the shell's completion."""
    from netlab import course

    with contextlib.suppress(NetlabError):
        return [name for name in course.load(course.default_folder()).steps if name.startswith(incomplete)]
    return []


Until = Annotated[
    str | None, typer.Option(metavar="STEP", help="Up to this step, with all it needs.", autocompletion=complete)
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="STEP", help="This step and all that depends on it.", autocompletion=complete),
]
Step = Annotated[str, typer.Argument(metavar="STEP", help="A name of `netlab steps`.", autocompletion=complete)]
Steps = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STEP]...", help="Only these.", autocompletion=complete, show_default=False),
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter of the lab; repeatable.")
]
LabFile = Annotated[Path | None, typer.Option("--lab", metavar="FILE", help="Parameters of the lab, as TOML.")]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="With --host: use what is there and not netlab's, and never delete it.")
]
Internet = Annotated[
    str | None, typer.Option("--internet", metavar="ADDRESS", help="With --host: the proofs may ask this address, too.")
]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="LANGUAGE", help="en or zh; without it, as the locale says.")
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit 3 when changes are pending.")]


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise typer.Exit(code)
