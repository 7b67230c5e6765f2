"""Bodies that kubectl 1.32.4 sent to a logging server, each with the manifest it means."""

import json
from pathlib import Path
from typing import Any

import pytest

from portway.krm import protobuf

CAPTURED = json.loads((Path(__file__).parent / "kubectl_1_32.json").read_text())


@pytest.mark.parametrize("case", CAPTURED, ids=lambda case: str(case["kubectl"]))
def test_a_body_that_kubectl_sent_decodes_to_its_manifest(case: dict[str, Any]) -> None:
    assert protobuf.decode(bytes.fromhex(case["hex"])) == case["manifest"]


@pytest.mark.parametrize("case", CAPTURED, ids=lambda case: str(case["kubectl"]))
def test_a_manifest_encodes_to_the_very_bytes_that_kubectl_sent(case: dict[str, Any]) -> None:
    assert protobuf.encode(case["manifest"]).hex() == case["hex"]
