"""The order in which a workspace serves what it has."""

from __future__ import annotations

import dataclasses

from portway.apiserver import resources
from portway.apiserver.resources import Resource, ResourceSet, Source
from portway.krm.builtins import catalogue

from .documents.served import tab


def of(group: str, version: str = "v1") -> Resource:
    served = tab()
    gvk = served.gvk._replace(group=group, version=version)
    return resources.of(dataclasses.replace(served, gvk=gvk))


def test_what_is_defined_stands_before_what_is_bound_each_by_name() -> None:
    built_in = ResourceSet(resources.of(served) for served in catalogue.KINDS)
    extra = [of("bound.example.org"), of("b.org"), of("a.org", "v1beta1"), of("b.org", "v1beta1"), of("c.org")]
    made = ResourceSet(extra, built_in, {"tabs.bound.example.org": Source("root", "bound")})
    count = len(built_in.resources)
    assert made.resources[:count] == built_in.resources
    assert [(r.served.gvk.group, r.served.gvk.version) for r in made.resources[count:]] == [
        ("b.org", "v1"),
        ("b.org", "v1beta1"),
        ("c.org", "v1"),
        ("a.org", "v1beta1"),
        ("bound.example.org", "v1"),
    ]
