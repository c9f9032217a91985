"""Credentials of the demo's TVs, made from their serial numbers so that a simulated fleet can power on.

Anybody can compute them: a real TV makes 32 random bytes of its own. The demo's bindings hold their fingerprints.
"""

import hashlib

from subscriber_tv.core.devices.jws import b64url


def demo_credential(serial: str) -> str:
	"""The credential of a TV of the demo, as it sends it: 43 characters of base64url."""
	return b64url(hashlib.sha256(f"Antenne Bleue {serial}".encode()).digest())
