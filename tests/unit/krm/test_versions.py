from portway.krm import versions


def test_versions_are_preferred_as_upstream_prefers_them() -> None:
    names = ["foo10", "v1alpha1", "v2", "v11beta2", "foo1", "v10", "v1", "v11alpha2", "v3beta1", "v12alpha1"]
    ranked = ["v10", "v2", "v1", "v11beta2", "v3beta1", "v12alpha1", "v11alpha2", "v1alpha1", "foo1", "foo10"]
    assert sorted(names, key=versions.priority) == ranked
