"""The site's keys: the one that signs leases and feed pages, and the secret that edges show to the feed."""

from functools import lru_cache
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.core.devices.jws import Signer, Verifier, jwks

LEASE_KEY = "subscriber_tv_lease_key"
FEED_SECRET = "subscriber_tv_feed_secret"


class KeyMissing(frappe.ValidationError):
	"""A key file named in site_config is missing or not named at all."""


def lease_signer() -> Signer:
	"""The signer of leases, denials, offer documents and feed pages. Errors: KeyMissing."""
	path = _path(LEASE_KEY)
	return _signer(str(path), path.stat().st_mtime_ns)


def verifier() -> Verifier:
	"""Verifies what this site signed."""
	return Verifier(public_keys())


def public_keys() -> dict:
	"""The JWKS that TVs and edges pin."""
	return jwks(lease_signer())


def feed_secret() -> bytes:
	"""The secret shared with the edges. Errors: KeyMissing."""
	return _path(FEED_SECRET).read_bytes().strip()


def _path(key: str) -> Path:
	path = Path(frappe.conf.get(key) or "")
	if not path.is_file():
		frappe.throw(
			_(
				"The key file {0} of this site is missing. Run bench migrate to make it, or restore it."
			).format(key),
			KeyMissing,
			title=_("Key Missing"),
		)
	return path


@lru_cache(maxsize=8)
def _signer(path: str, changed: int) -> Signer:
	"""Reading a PEM costs more than signing; a replaced file has another time and is read again."""
	return Signer(Path(path).read_bytes())
