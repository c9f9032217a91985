"""The site's keys: the one that signs leases and feed pages, the masters of TVs' keys, and the secret of the feed."""

import json
from functools import lru_cache
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.core.devices.jws import Signer, Verifier, jwks
from subscriber_tv.core.devices.mac import Masters, read_masters

LEASE_KEY = "subscriber_tv_lease_key"
MASTERS = "subscriber_tv_masters"
SIGNED_KEYS = "subscriber_tv_signed_keys"
FEED_SECRET = "subscriber_tv_feed_secret"


class KeyMissing(frappe.ValidationError):
	"""A key file named in site_config is missing or not named at all."""


def lease_signer() -> Signer:
	"""The signer of leases, denials, offer documents and feed pages. Errors: KeyMissing."""
	path = lease_key()
	return _signer(str(path), path.stat().st_mtime_ns)


def lease_key() -> Path:
	"""The file of the key that signs leases. Errors: KeyMissing."""
	return _path(LEASE_KEY)


def masters() -> Masters:
	"""The masters that TVs' keys follow from. Errors: KeyMissing, mac.BadMasters."""
	path = _path(MASTERS)
	return _masters(str(path), path.stat().st_mtime_ns)


def epoch_since() -> int:
	"""Since when the newest epoch is in use (epoch seconds UTC); 0 for a first one. Errors: KeyMissing, mac.BadMasters."""
	return int(_path(MASTERS).stat().st_mtime) if masters().current > 1 else 0


def verifier() -> Verifier:
	"""Verifies what this site signed."""
	return Verifier(public_keys())


def public_keys() -> dict:
	"""The JWKS that TVs and edges pin, with the root's signature when it was brought (`python -m subscriber_tv sign-keys`)."""
	keys = jwks(lease_signer())
	path = Path(frappe.conf.get(SIGNED_KEYS) or "")
	if path.is_file():
		signed = json.loads(path.read_bytes())
		# A signature of other keys would only lead TVs astray.
		if signed.get("keys") == keys["keys"]:
			return signed
	return keys


def feed_secret() -> bytes:
	"""The secret shared with the edges. Errors: KeyMissing."""
	return _path(FEED_SECRET).read_bytes().strip()


def file_of(key: str, error: type[frappe.ValidationError]) -> Path:
	"""The file that this entry of site_config names. Errors: `error`, saying what to do."""
	path = Path(frappe.conf.get(key) or "")
	if not path.is_file():
		frappe.throw(
			_(
				"The key file {0} of this site is missing. Run bench migrate to make it, or restore it."
			).format(key),
			error,
			title=_("Key Missing"),
		)
	return path


def _path(key: str) -> Path:
	return file_of(key, KeyMissing)


@lru_cache(maxsize=8)
def _signer(path: str, changed: int) -> Signer:
	"""Reading a PEM costs more than signing; a replaced file has another time and is read again."""
	return Signer(Path(path).read_bytes())


@lru_cache(maxsize=8)
def _masters(path: str, changed: int) -> Masters:
	return read_masters(Path(path).read_bytes())
