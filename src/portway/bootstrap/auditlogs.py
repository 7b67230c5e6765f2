"""The audit log of an installation: ``<home>/logs/audit.log``, by the default policy or one of the operator's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from portway.apiserver import auditpolicies
from portway.apiserver.auditing import Auditor
from portway.apiserver.auditlogs import AuditLog, Limits
from portway.bootstrap.errors import StartError
from portway.bootstrap.settings import Settings
from portway.krm import decoding
from portway.krm.errors import StatusError


@contextlib.contextmanager
def open_auditor(settings: Settings) -> Iterator[Auditor]:
    """Raises StartError when the policy cannot be used: nobody should find out later that nothing was logged."""
    limits = Limits(settings.audit_megabytes * 1024 * 1024, settings.audit_files)
    lines = AuditLog(settings.home / "logs" / "audit.log", limits)
    try:
        yield Auditor(_policy(settings.audit_policy), lines)
    finally:
        lines.close()


def _policy(file: Path | None) -> auditpolicies.Policy:
    if file is None:
        return auditpolicies.parse(auditpolicies.DEFAULT)
    try:
        return auditpolicies.parse(decoding.decode_yaml(file.read_bytes()).value)
    except (OSError, StatusError, auditpolicies.PolicyError) as error:
        raise StartError(f"PORTWAY_AUDIT_POLICY: {file} cannot be used as an audit policy: {error}.") from None
