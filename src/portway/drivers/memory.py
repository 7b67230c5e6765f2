"""A driver that makes things in memory: for trying the engine, in tests and where nothing real is wanted.

Things live as long as the driver does. Inputs are kept and compared, so that drift is seen; ``password`` is the
credential. Knobs for trying failures: ``refuse``, ``fail`` (raised once by the next apply) and ``linger``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portway.drivers.contract import Applied, DriverError, Health, Observation, Plan, Refused, Step, Target, Verb


@dataclass(slots=True)
class Thing:
    inputs: dict[str, Any]
    password: str
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class MemoryDriver:
    """``things`` by uid; tests may change or delete them behind its back."""

    name: str = "memory"
    things: dict[str, Thing] = field(default_factory=dict)
    health: Health = Health.HEALTHY
    message: str = ""
    refuse: str = ""
    """A sentence: apply refuses with it."""
    fail: str = ""
    """A sentence: the next apply fails with it, once."""
    linger: int = 0
    """How many destroys it takes."""
    seconds: float = 0.0
    """How long an apply takes."""
    applies: int = 0

    def schema(self) -> Mapping[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "label": {"type": "string"},
                "containers": {"type": "object"},
                "ports": {"type": "object"},
                "source": {"type": "object"},
            },
        }

    async def observe(self, target: Target) -> Observation:
        thing = self.things.get(target.uid)
        if thing is None:
            return Observation(exists=False, handle={"thing": target.uid})
        wanted = dict(target.inputs)
        drift = {
            key: (wanted.get(key), thing.inputs.get(key))
            for key in sorted({*wanted, *thing.inputs})
            if wanted.get(key) != thing.inputs.get(key)
        }
        if target.secrets.get("password", thing.password) != thing.password:
            drift["password"] = ("as in the Secret", "another")
        outputs = {"host": "memory", "port": 7, "username": target.name, **thing.inputs}
        if "containers" in thing.inputs:
            outputs = self._running(thing)
        return Observation(True, self.health, self.message, outputs, {"thing": target.uid}, drift)

    def _running(self, thing: Thing) -> dict[str, Any]:
        ports = thing.inputs.get("ports") or {}
        state = {Health.DEGRADED: "crashed", Health.PROGRESSING: "starting"}.get(self.health, "running")
        return {
            "endpoints": [
                {"name": name, "url": f"http://127.0.0.1:{port['port']}", "port": port["port"]}
                for name, port in ports.items()
            ],
            "containers": [
                {"name": name, "state": state, "restarts": 0, "exit_code": None, "message": ""}
                for name in thing.inputs["containers"]
            ],
        }

    async def plan(self, target: Target, observed: Observation) -> Plan:
        if not observed.exists:
            return Plan((Step(Verb.CREATE, f"create thing {target.name}", after=dict(target.inputs)),))
        if not observed.drift:
            return Plan(())
        before = {key: found for key, (_, found) in observed.drift.items()}
        after = {key: wanted for key, (wanted, _) in observed.drift.items()}
        return Plan((Step(Verb.UPDATE, f"change {', '.join(after)} of thing {target.name}", before, after),))

    async def apply(self, target: Target, plan: Plan) -> Applied:  # noqa: ARG002  what is there decides
        if self.refuse:
            raise Refused("Refused", self.refuse)
        if self.fail:
            message, self.fail = self.fail, ""
            raise DriverError("Failed", message, retry_after=0.05)
        await asyncio.sleep(self.seconds)
        self.applies += 1
        password = target.secrets.get("password") or secrets.token_urlsafe(12)
        self.things[target.uid] = Thing(dict(target.inputs), password, dict(target.secrets))
        binding = {"type": "memory", "provider": "portway", "host": "memory", "port": "7"}
        observation = await self.observe(target)
        return Applied(observation, {**binding, "username": target.name, "password": password})

    async def destroy(self, target: Target) -> None:
        if self.linger > 0:
            self.linger -= 1
            return
        self.things.pop(target.uid, None)
