"""ValidatingAdmissionPolicy and MutatingAdmissionPolicy with their bindings, and Rego ``Policy``.

``validation`` and ``mutation`` are the admission steps; ``checks`` judges policies when they are written.
Texts and rules: k8s.io/apiserver pkg/admission/plugin/policy and k8s.io/kubernetes pkg/apis/admissionregistration.
"""
