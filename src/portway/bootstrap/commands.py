"""Commands that start and stop Portway, added to the commands of ``portway.cli``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from portway.bootstrap import (
    certificatecommands,
    detaching,
    failures,
    keycommands,
    locking,
    prerequisites,
    settings,
)
from portway.bootstrap.reporting import Reporter
from portway.bootstrap.settings import Settings
from portway.cli import contexts, options, output
from portway.cli import program as commands

# `running` brings in the whole control plane: it is imported by the commands that need it, so that others start fast

_program = commands.build()
_PANEL = "Start and stop"
_program.add_typer(keycommands.program, name="keys", rich_help_panel=_PANEL)
_program.add_typer(certificatecommands.program, name="certificate", rich_help_panel="Access")


@_program.callback()
def _prepare(ctx: typer.Context) -> None:
    current = _settings()
    own = Path.home() / ".config" / "portway" / "kubeconfig"
    chosen = os.environ.get("PORTWAY_KUBECONFIG")
    files = (Path(chosen).expanduser(),) if chosen else (current.kubeconfig, own)
    ctx.obj = contexts.Places(files, files[0] if chosen else own, current.ca_certificate, _own_command())


@_program.command(rich_help_panel=_PANEL)
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Start in the background; return when ready.")] = False,
) -> None:
    """Start Portway on 127.0.0.1; its state is in PORTWAY_HOME (.portway), its port PORTWAY_PORT (8700)."""
    from portway.bootstrap import running

    current = _settings()
    if detach:
        prerequisites.check(current)
        started = detaching.start(current)
        output.console.print(f"Portway runs on {started.address} (process {started.pid}).")
        _run(running.print_access(current, _reporter()))
        return
    _run(running.serve(current, _reporter()))


@_program.command(rich_help_panel=_PANEL)
def demo(
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    exit_when_ready: Annotated[
        bool, typer.Option("--exit-when-ready", help="Stop everything again once the badge is green.")
    ] = False,
) -> None:
    """Start Portway with the example organisation and walk the golden path."""
    from portway.bootstrap import running

    current = _settings()
    if not detach:
        _run(running.serve(current, _reporter(), demo=True, exit_when_ready=exit_when_ready))
        return
    prerequisites.check(current)
    detaching.start(current)
    _run(running.demonstrate(current, _reporter()))
    if exit_when_ready:
        _run(running.stop_all(current, _reporter()))


@_program.command(rich_help_panel=_PANEL)
def down(
    workloads: Annotated[
        bool, typer.Option("--workloads", help="Stop the workloads and the database server too.")
    ] = False,
) -> None:
    """Stop Portway; what it runs goes on, unless --workloads is given."""
    current = _settings()
    if not current.home.is_dir():
        output.console.print(f"No Portway runs: there is no {current.home}.", soft_wrap=True)
        return
    if workloads:
        from portway.bootstrap import running

        _run(running.stop_all(current, _reporter()))
        return
    stopped = detaching.stop(current.home)
    if stopped is None:
        output.console.print(f"No Portway runs on {current.home}.", soft_wrap=True)
    else:
        output.console.print("Stopped. Workloads go on; `portway up` takes them over again.", soft_wrap=True)


@_program.command(rich_help_panel=_PANEL)
def backup(file: Annotated[Path, typer.Argument(help="The file to write, such as portway.backup.")]) -> None:
    """Write all objects into a file, of a running or a stopped Portway. Secrets stay encrypted in it."""
    from portway.bootstrap import archiving

    current = _settings()
    made = _run(archiving.back_up(current, file))
    output.console.print(f"{made.objects} objects at revision {made.revision} are in {file}.", soft_wrap=True)
    keys = current.home / "keys"
    output.console.print(f"Keep {keys} too, in another place: Secrets cannot be read without it.", soft_wrap=True)


@_program.command(rich_help_panel=_PANEL)
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `portway backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Give up the state that is there now.")] = False,
) -> None:
    """Bring the objects of a backup back, into SQLite or PostgreSQL. Portway must be stopped."""
    from portway.bootstrap import archiving

    done = _run(archiving.bring_back(_settings(), file, replace=replace))
    text = f"{done.objects} objects of {done.taken} are back; the state is at revision {done.revision}."
    output.console.print(text, soft_wrap=True)


@_program.command(rich_help_panel=_PANEL)
def status(form: options.Output = output.Format.TABLE) -> None:
    """Say whether Portway runs, and what it runs; exit status 1 when it does not run."""
    from portway.bootstrap import running

    current = _settings()
    found = locking.running(current.home)
    rows = _run(running.overview(current, found))
    if form is output.Format.TABLE:
        output.print_table(["PART", "STATE", "WHERE"], [[row.part, row.state, row.where] for row in rows])
    else:
        output.print_data([{"part": row.part, "state": row.state, "where": row.where} for row in rows], form)
    if found is None:
        raise typer.Exit(1)


def program() -> None:
    """Run the program; an expected failure is one sentence and status 1."""
    try:
        _program()
    except Exception as error:
        sentence = failures.sentence(error)
        if sentence is None:
            raise
        print(f"Error: {sentence.rstrip('.')}.", file=sys.stderr)
        raise SystemExit(1) from None


def _own_command() -> tuple[str, ...]:
    """What kubectl is told to run, in whatever folder it is: never a module that happens to lie there."""
    script = Path(sys.executable).parent / "portway"
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "portway")


def _settings() -> Settings:
    return settings.read(os.environ)


def _reporter() -> Reporter:
    return Reporter(output.console)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
