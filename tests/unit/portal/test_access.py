from __future__ import annotations

from portway.apis import resources
from portway.client.memory import MemoryClient
from portway.index.following import Index
from portway.kit.clocks import ManualClock
from portway.krm import errors
from portway.krm.identity import Manifest
from portway.portal.access import Access
from portway.portal.dependencies import Deps, Settings, User
from portway.portal.rendering import safe_url

ADA = User("ada")


class Guarded(MemoryClient):
    """Nobody enters root:b, and components are not listed in root:c; every question is counted."""

    asked: list[str]

    def _view(self, workspace: str, user: str) -> MemoryClient:
        view = super()._view(workspace, user)
        view.__class__ = Guarded
        vars(view)["asked"] = self.asked
        return view

    async def post(self, path: str, body: Manifest) -> Manifest:
        self.asked.append(self.workspace)
        if self.workspace == "root:b":
            raise errors.forbidden("workspaces", "root:b", "no access")
        answer = await super().post(path, body)
        if self.workspace == "root:c" and body["spec"]["resourceAttributes"]["resource"] == "components":
            answer["status"] = {"allowed": False}
        return answer


def new_access(clock: ManualClock) -> tuple[Access, list[str]]:
    api = Guarded(users={"t": "ada"})
    api.asked = []
    index = Index()
    for name in ("a", "b", "c"):
        notes = {"kcp.io/path": "root"}
        index.workspaces.put({"kind": "Workspace", "metadata": {"name": name, "annotations": notes}})
    return Access(Deps(api, index, settings=Settings(access_seconds=20)), clock), api.asked


async def test_answers_are_per_resource_and_believed_for_some_time() -> None:
    clock = ManualClock()
    access, asked = new_access(clock)
    components = await access.readable("t", ADA)
    workloads = await access.readable("t", ADA, resources.WORKLOADS)
    places = ("root", "root:a", "root:b", "root:c", "root:unknown")
    assert [components(p) for p in places] == [True, True, False, False, False]
    assert [workloads(p) for p in places] == [True, True, False, True, False]
    assert asked.count("root:b") == 1
    before = len(asked)
    await access.readable("t", ADA)
    assert len(asked) == before
    await clock.advance(21)
    await access.readable("t", ADA)
    assert len(asked) == before + 4


async def test_administrators_are_not_asked_about() -> None:
    access, asked = new_access(ManualClock())
    readable = await access.readable("t", User("root", ("system:masters",)))
    assert readable("root:b")
    assert asked == []


def test_only_addresses_that_are_safe_to_follow_become_links() -> None:
    for address in ("https://a.example", "http://a", "mailto:a@b.example", "/catalog"):
        assert safe_url(address) == address
    hostile = ("javascript:alert(1)", " JavaScript:x", "//evil.example", "/\\evil", "data:x", "ftp://x", "", None, 3)
    assert [safe_url(address) for address in hostile] == [""] * len(hostile)
