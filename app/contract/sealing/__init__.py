"""Sealed evidence: HPKE (RFC 9180) wraps keys, SFrame (RFC 9605) protects fragments, JWS (RFC 7515) signs records.

``docs/evidence-format.md`` is the specification; nothing here is home-made beyond gluing those standards together.
"""
