"""OpenAPI and discovery documents as pure functions of what is served: no request, no store, only bytes and hashes.

``Served`` values in, ``Document`` out. What is worked out for one resource is kept by identity of its ``Served``, so
that a new kind costs only its own fragment: pass the same objects again, not copies. Callers cache whole documents by
the identity of the set they serve.

``discovery``, ``openapi_v3`` and ``openapi_v2`` each serve one family of URLs.
"""

from portway.apiserver.documents.bodies import Document

__all__ = ["Document"]
