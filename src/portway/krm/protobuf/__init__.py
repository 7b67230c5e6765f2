"""Kubernetes' protobuf form of the built-in kinds, read by the declarations of ``krm.builtins``.

kubectl sends typed objects this way and has no fallback; replies may be JSON. Custom kinds never travel so.
"""

from portway.krm.protobuf.decoding import decode
from portway.krm.protobuf.encoding import encode

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

__all__ = ["MEDIA_TYPE", "decode", "encode"]
