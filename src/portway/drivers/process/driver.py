"""Driver for type ``workload``: programs run by the node agent. The inputs are described in ``specs``.

``Target.secrets`` holds the values that the inputs refer to by ``{"secret": "<key>"}``; give them to every verb, so
that a changed one is seen. Outputs: endpoints [{name, url, port}], replicas, containers, notes, and of the first
endpoint host, port and url.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from portway.drivers.contract import Applied, Health, Observation, Plan, Step, Target, Verb
from portway.drivers.process import specs
from portway.drivers.process.client import AgentClient

_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "containers": {"type": "object", "additionalProperties": {"type": "object"}},
        "ports": {"type": "object", "additionalProperties": {"type": "object"}},
        "source": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {
                "path": {"type": "string", "description": "A git repository on this machine."},
                "url": {"type": "string", "description": "A git URL."},
                "revision": {"type": "string", "description": "Commit to run."},
            },
        },
        "grace_seconds": {
            "type": ["number", "string"],
            "description": "Seconds between the request to stop and the kill; 10 by default.",
        },
        "restarted_at": {"type": "string", "description": "Another text here restarts the workload."},
    },
}


class ProcessDriver:
    name = "process"

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    def schema(self) -> Mapping[str, Any]:
        return _SCHEMA

    async def observe(self, target: Target) -> Observation:
        state = await self._agent.ask(
            "workload.observe", uid=target.uid, inputs=dict(target.inputs) or None, secrets=dict(target.secrets)
        )
        return _observation(target, state)

    async def plan(self, target: Target, observed: Observation) -> Plan:
        spec = specs.parse(target.inputs)
        if not observed.exists:
            names = ", ".join(container.name for container in spec.containers)
            return Plan((Step(Verb.CREATE, f"run {target.name} ({names})", after=_summary(spec)),))
        if not observed.drift:
            return Plan(())
        before = {field: found for field, (_, found) in observed.drift.items()}
        after = {field: wanted for field, (wanted, _) in observed.drift.items()}
        what = f"replace the running version of {target.name}: {', '.join(sorted(observed.drift))} changed"
        return Plan((Step(Verb.UPDATE, what, before, after),))

    async def apply(self, target: Target, plan: Plan) -> Applied:  # noqa: ARG002 - reality decides, not the plan
        specs.parse(target.inputs)
        state = await self._agent.ask(
            "workload.apply",
            uid=target.uid,
            name=target.name,
            inputs=dict(target.inputs),
            secrets=dict(target.secrets),
        )
        return Applied(_observation(target, state | {"wanted": True}))

    async def destroy(self, target: Target) -> None:
        await self._agent.ask("workload.destroy", uid=target.uid)

    def logs(self, target: Target, *, tail: int, follow: bool) -> AsyncIterator[str]:
        """Of the main container: the first that is not only a preparation of others."""
        return self._agent.workload_logs(target.uid, tail=tail, follow=follow)


def _observation(target: Target, state: Mapping[str, Any]) -> Observation:
    if not state["exists"]:
        return Observation(exists=False)
    drift: dict[str, tuple[Any, Any]] = {}
    if state.get("wanted") is False:
        drift = _differences(target.inputs, state["inputs"])
        drift = drift or {"secrets": ("the values of now", "earlier values")}
    return Observation(
        exists=True,
        health=Health(state["health"]),
        message=state["message"],
        outputs=_outputs(state),
        handle={"uid": state["uid"], "version": state["generation"]},
        drift=drift,
    )


def _outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    endpoints = state["endpoints"]
    outputs: dict[str, Any] = {"endpoints": endpoints, "replicas": 1, "containers": state["containers"]}
    if endpoints:
        outputs |= {"host": "127.0.0.1", "port": endpoints[0]["port"], "url": endpoints[0]["url"]}
    if state["notes"]:
        outputs["notes"] = state["notes"]
    return outputs


def _summary(spec: specs.WorkloadSpec) -> dict[str, Any]:
    summary: dict[str, Any] = {"containers": [container.name for container in spec.containers]}
    if spec.source is not None:
        summary["source"] = f"{spec.source.location}@{spec.source.revision[:12]}"
    if spec.ports:
        summary["ports"] = [port.name for port in spec.ports]
    if spec.notes:
        summary["notes"] = list(spec.notes)
    return summary


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Dotted field → (wanted, found), only of leaves that differ."""
    new, old = dict(_leaves(wanted, "")), dict(_leaves(found, ""))
    return {
        field: (new.get(field), old.get(field))
        for field in sorted(new.keys() | old.keys())
        if new.get(field) != old.get(field)
    }


def _leaves(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and set(value) == {"parts"}:
        yield (
            field,
            "".join(part if isinstance(part, str) else f"${{secret.{part['secret']}}}" for part in value["parts"]),
        )
    elif isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, f"{field}.{key}" if field else str(key))
    else:
        yield field, value
