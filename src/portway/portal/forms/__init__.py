"""JSON Schemas as HTML forms: pages of a template (v1beta3) and the parameters of a claim.

``schemas`` resolves conditions against the values so far, ``building`` makes fields, ``decoding`` reads a submitted
form back, ``checking`` says what is wrong next to the field it is wrong in. All pure.
"""
