"""Clients that others wrote, against the real server on HTTPS."""

from __future__ import annotations

from tests.e2e.apiserver.conftest import Kubectl, kubeconfig, kubectl, root, server

__all__ = ["Kubectl", "kubeconfig", "kubectl", "root", "server"]
