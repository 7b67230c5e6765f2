"""ValidatingWebhookConfiguration and MutatingWebhookConfiguration: services asked about requests.

Protocol: admission.k8s.io/v1 AdmissionReview over HTTPS. Texts: k8s.io/apiserver pkg/admission/plugin/webhook.
"""
