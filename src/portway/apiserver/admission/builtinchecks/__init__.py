"""Rules of built-in kinds that their OpenAPI schema cannot say, one module a family of kinds.

Only an object of the kind pays for its rules. Policies and webhooks are judged where they are completed, in their own
packages. Rules and texts: k8s.io/kubernetes pkg/apis/{core,rbac,coordination}/validation.
"""
