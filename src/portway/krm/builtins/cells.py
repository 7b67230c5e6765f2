"""Table cells that no JSONPath can make. A column whose path is ``fn:<name>`` names one of ``CELLS``.

Times come back as timestamps: the column's type ``date`` makes an age of them. Forms: k8s.io/kubernetes
pkg/printers/internalversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portway.krm.identity import Manifest

Cell = Callable[[Manifest], str | None]
PREFIX = "fn:"
_NONE, _UNSET = "<none>", "<unset>"


def _count(*fields: str) -> Cell:
    return lambda manifest: str(sum(len(manifest.get(field) or ()) for field in fields))


def _count_in_spec(field: str) -> Cell:
    return lambda manifest: str(len(_of(manifest, "spec").get(field) or ()))


def _of(manifest: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    return manifest.get(field) or {}


def _event_object(event: Manifest) -> str:
    about = _of(event, "involvedObject") or _of(event, "regarding")
    kind, name = about.get("kind", ""), about.get("name", "")
    return f"{kind.lower()}/{name}" if kind else name


def _event_source(event: Manifest) -> str:
    source = _of(event, "source") or _of(event, "deprecatedSource")
    component, host = source.get("component"), source.get("host")
    if not component:
        component = event.get("reportingComponent") or event.get("reportingController") or ""
        host = event.get("reportingInstance")
    return f"{component}, {host}" if host else component


def _event_message(event: Manifest) -> str:
    return (event.get("message") or event.get("note") or "").strip()


def _first_seen(event: Manifest) -> str | None:
    return event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp") or event.get("eventTime")


def _last_seen(event: Manifest) -> str | None:
    last = _of(event, "series").get("lastObservedTime")
    return last or event.get("lastTimestamp") or event.get("deprecatedLastTimestamp") or _first_seen(event)


def _event_count(event: Manifest) -> str:
    return str(_of(event, "series").get("count") or event.get("count") or event.get("deprecatedCount") or 1)


def _quota(*, limits: bool) -> Cell:
    def cell(quota: Manifest) -> str:
        status = _of(quota, "status")
        hard, used = _of(status, "hard"), _of(status, "used")
        names = sorted(name for name in hard if name.startswith("limits.") == limits)
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)

    return cell


def _role_ref(binding: Manifest) -> str:
    role = _of(binding, "roleRef")
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _subjects(kind: str) -> Cell:
    def cell(binding: Manifest) -> str:
        found = [s for s in binding.get("subjects") or () if s.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{s.get('namespace', '')}/{s.get('name', '')}" for s in found)
        return ", ".join(s.get("name", "") for s in found)

    return cell


def _cluster_ip(service: Manifest) -> str:
    return _of(service, "spec").get("clusterIP") or _NONE


def _external_ip(service: Manifest) -> str:
    spec = _of(service, "spec")
    return ",".join(spec.get("externalIPs") or ()) or spec.get("externalName") or _NONE


def _service_ports(service: Manifest) -> str:
    ports = _of(service, "spec").get("ports") or ()
    return ",".join(f"{p.get('port')}/{p.get('protocol') or 'TCP'}" for p in ports) or _NONE


def _service_selector(service: Manifest) -> str:
    selector = _of(_of(service, "spec"), "selector")
    return ",".join(f"{k}={v}" for k, v in sorted(selector.items())) or _NONE


def _template_containers(field: str) -> Cell:
    def cell(template: Manifest) -> str:
        containers = _of(_of(template, "template"), "spec").get("containers") or ()
        return ",".join(container.get(field, "") for container in containers)

    return cell


def _template_labels(template: Manifest) -> str:
    labels = _of(_of(_of(template, "template"), "metadata"), "labels")
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or _NONE


def _param_kind(policy: Manifest) -> str:
    kind = _of(_of(policy, "spec"), "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else _UNSET


def _param_ref(binding: Manifest) -> str:
    reference = _of(_of(binding, "spec"), "paramRef")
    if not reference:
        return _UNSET
    if reference.get("name"):
        namespace = reference.get("namespace")
        return f"{namespace}/{reference['name']}" if namespace else str(reference["name"])
    labels = _of(_of(reference, "selector"), "matchLabels")
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or "*"


CELLS: Mapping[str, Cell] = {
    "cluster_ip": _cluster_ip,
    "data_count": _count("data", "binaryData"),
    "event_count": _event_count,
    "event_message": _event_message,
    "event_object": _event_object,
    "event_source": _event_source,
    "external_ip": _external_ip,
    "first_seen": _first_seen,
    "last_seen": _last_seen,
    "param_kind": _param_kind,
    "param_ref": _param_ref,
    "quota_limits": _quota(limits=True),
    "quota_requests": _quota(limits=False),
    "role_ref": _role_ref,
    "secrets_count": _count("secrets"),
    "service_ports": _service_ports,
    "service_selector": _service_selector,
    "subject_accounts": _subjects("ServiceAccount"),
    "subject_groups": _subjects("Group"),
    "subject_users": _subjects("User"),
    "template_containers": _template_containers("name"),
    "template_images": _template_containers("image"),
    "template_labels": _template_labels,
    "mutation_count": _count_in_spec("mutations"),
    "validation_count": _count_in_spec("validations"),
    "webhook_count": _count("webhooks"),
}
