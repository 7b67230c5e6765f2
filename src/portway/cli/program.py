"""The ``portway`` program: commands that talk to a running Portway. ``bootstrap`` adds those that start one."""

from __future__ import annotations

import typer

from portway.cli import access, creating, explaining, following, reading, requesting, verdicts

HELP = "The internal developer platform and portal in one."


def build() -> typer.Typer:
    """The program with all commands of this package."""
    program = typer.Typer(
        name="portway", help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
    )
    program.command("get")(reading.get)
    program.command("explain")(explaining.explain)
    program.command("create")(creating.create)
    program.command("request")(requesting.request)
    program.command("logs")(following.logs)
    program.command("validate")(verdicts.validate)
    program.command("login")(access.login)
    program.command("kubeconfig")(access.print_kubeconfig)
    program.command("open")(access.open_portal)
    return program
