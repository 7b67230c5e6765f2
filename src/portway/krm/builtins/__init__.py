"""The kinds every workspace serves, each declared once: schema, protobuf numbers, merge keys, columns and
subresources.

Also the way from a CustomResourceDefinition or an APIResourceSchema to the same value (``served_from_crd``).
No behaviour of any kind lives here: what a TokenRequest or a Namespace *does* is the API server's affair.
"""

from portway.krm.builtins.publishing import served_from_api_resource_schema, served_from_crd

__all__ = ["served_from_api_resource_schema", "served_from_crd"]
