"""What a failed request means for the one who typed the command: one sentence, and the way out."""

from __future__ import annotations

from dataclasses import dataclass

from portway.krm.errors import StatusError

_ACCESS = ("no access to workspace", "cannot get path")


@dataclass(frozen=True, slots=True)
class Where:
    """Whom the command talked to. ``source`` says where the token is from."""

    server: str
    workspace: str
    source: str


def sentence(error: StatusError, where: Where) -> str:
    said = error.message.strip().rstrip(".")
    if error.code == 401:
        return (
            f"{where.server} refused the token in {where.source}. Log in again with `portway login {where.server}`, "
            "or start Portway again with `portway up` if it is your own."
        )
    if is_about_access(error):
        parent = where.workspace.rpartition(":")[0] or "root"
        return (
            f"There is no workspace {where.workspace}, or you may not enter it. "
            f"`portway get workspaces -w {parent}` lists those there are."
        )
    if error.code == 403:
        return f"{said}. Who administers {where.workspace} can give you the right to."
    if error.reason == "ServiceUnavailable" and said.startswith("no answer from"):
        return unreachable(where.server, error)
    if error.code >= 500:
        return f"{said}. Try again; the server's log says more."
    return f"{where.workspace}: {said}."


def is_about_access(error: StatusError) -> bool:
    """Whether the workspace could not be entered at all; a server does not say whether it exists."""
    return error.code == 403 and any(text in error.message for text in _ACCESS)


def unreachable(server: str, error: Exception) -> str:
    text = str(error)
    if "CERTIFICATE" in text.upper():
        return f"{server} shows a certificate that is not trusted here. Give its authority with `portway login --ca`."
    return f"Portway does not answer on {server}. Start it with `portway up`; `portway status` says what runs."
