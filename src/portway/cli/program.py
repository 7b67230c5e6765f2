"""The ``portway`` program: commands that talk to a running Portway. ``bootstrap`` adds those that start one."""

from __future__ import annotations

import typer

from portway.cli import (
    access,
    asking,
    creating,
    explaining,
    following,
    reading,
    recalling,
    requesting,
    tokens,
    verdicts,
    workspaces,
)

HELP = """The internal developer platform and portal in one.

Start it with `portway up`, or with an example organisation with `portway demo`; then open it with `portway open`.
"""
_MAKING, _LOOKING, _ACCESS = "Make", "Look", "Access"


def build() -> typer.Typer:
    """The program with all commands of this package."""
    program = typer.Typer(
        name="portway",
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, name, command in (
        (_MAKING, "create", creating.create),
        (_MAKING, "request", requesting.request),
        (_MAKING, "validate", verdicts.validate),
        (_LOOKING, "get", reading.get),
        (_LOOKING, "explain", explaining.explain),
        (_LOOKING, "logs", following.logs),
        (_LOOKING, "history", recalling.history),
        (_MAKING, "undelete", recalling.undelete),
        (_ACCESS, "open", access.open_portal),
        (_ACCESS, "login", access.login),
        (_ACCESS, "kubeconfig", access.print_kubeconfig),
        (_ACCESS, "access", asking.may),
    ):
        program.command(name, rich_help_panel=panel)(command)
    program.add_typer(workspaces.program, name="ws", rich_help_panel=_LOOKING)
    program.add_typer(tokens.program, name="token", rich_help_panel=_ACCESS)
    return program
