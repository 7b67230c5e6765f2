"""How a definition's versions are converted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import names, webhooks
from portway.krm import causes
from portway.krm.errors import Cause

_PATH = "spec.conversion"
_STRATEGIES = ("None", "Webhook")
_REVIEWS = ("v1", "v1beta1")

RENAMED = (
    (re.compile(r"\bspec\.conversion\.webhook\.clientConfig\b"), "spec.conversion.webhookClientConfig"),
    (
        re.compile(r"\bspec\.conversion\.webhook\.conversionReviewVersions\b"),
        "spec.conversion.conversionReviewVersions",
    ),
)
"""The fields as upstream's form has them."""


def check(conversion: Mapping[str, Any], *, established: bool) -> Iterator[Cause]:
    """``established``: the definition is served already; before that its certificates may still be missing."""
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook") or {}
    client, reviews = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    where = f"{_PATH}.webhook"
    if not strategy and conversion:
        yield causes.required(f"{_PATH}.strategy")
    elif strategy and strategy not in _STRATEGIES:
        yield causes.unsupported(f"{_PATH}.strategy", strategy, _STRATEGIES)
    if strategy != "Webhook":
        for field in ("clientConfig", "conversionReviewVersions"):
            if webhook.get(field):
                yield causes.forbidden(f"{where}.{field}", "should not be set when strategy is not set to Webhook")
        return
    if client is None:
        yield causes.required(f"{where}.clientConfig", "required when strategy is set to Webhook")
    else:
        yield from webhooks.check(client, f"{where}.clientConfig", certificates=established)
    yield from _check_reviews(reviews, f"{where}.conversionReviewVersions")


def _check_reviews(reviews: list[str], path: str) -> Iterator[Cause]:
    if not reviews:
        yield causes.required(path)
        return
    for index, version in enumerate(reviews):
        if version in reviews[:index]:
            yield causes.invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        for fault in names.dns_1035_faults(version):
            yield causes.invalid(f"{path}[{index}]", version, fault)
    if not {*_REVIEWS} & {*reviews}:
        yield causes.invalid(path, reviews, f"must include at least one of {', '.join(_REVIEWS)}")
