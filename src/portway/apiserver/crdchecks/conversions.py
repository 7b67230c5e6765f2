"""How a definition's versions are converted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import webhooks
from portway.krm import causes
from portway.krm.errors import Cause

_PATH = "spec.conversion"
_STRATEGIES = ("None", "Webhook")

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
    if reviews:
        yield from webhooks.check_review_versions(reviews, f"{where}.conversionReviewVersions")
    else:
        yield causes.required(f"{where}.conversionReviewVersions")
