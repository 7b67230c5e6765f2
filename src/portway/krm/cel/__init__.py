"""CEL as Kubernetes speaks it: parsed, type-checked against schemas, costed, and compiled to closures.

Works on decoded JSON as it is (no conversion per request). ``programs`` is the way in; ``library`` holds the
functions. Not here: who calls it when (rules of CRDs in ``krm.schemas``, policies in ``apiserver.admission``).
Facts: github.com/google/cel-go and k8s.io/apiserver pkg/cel.
"""
