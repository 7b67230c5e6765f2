"""What a CustomResourceDefinition has to be beyond its OpenAPI schema: judged where one is written, and by
``portway validate``. What a definition serves is in ``crds``; what schemas and their rules have to be, in ``krm``.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation.
"""
