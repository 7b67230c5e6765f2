"""What the API server is told by bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

from portway.apiserver.oidc import Issuer


@dataclass(frozen=True, slots=True)
class Settings:
    body_limit: int = 3 * 1024 * 1024
    """Bytes of a request body; what kube-apiserver allows."""
    watch_seconds: int = 1800
    """A watch without timeoutSeconds ends between this and twice this, so that clients do not return at once."""
    ca_certificate: str = ""
    """PEM text published as ConfigMap kube-root-ca.crt in every namespace."""
    external_url: str = "https://127.0.0.1:8700"
    """Base of the URLs in ``Workspace.spec.URL``."""
    issuer: str = "https://kubernetes.default.svc"
    """``iss`` of service-account tokens; a URL from which others can read the keys, to have them trust the tokens."""
    issuers: tuple[Issuer, ...] = ()
    """OpenID Connect providers whose ID tokens are good here."""
    service_account_seconds: int = 3600
    """Life of a service-account token when the request names none."""
    home_groups: tuple[str, ...] = ("system:authenticated",)
    """Whose members get a home workspace when they first ask for it."""
    object_limit: int = 0
    """Objects a workspace may hold, unless annotation portway.dev/max-objects of its LogicalCluster says otherwise;
    0: no limit."""
    housekeeping: bool = True
    """Run the API's own controllers in this process; of several processes on one store only one may."""
