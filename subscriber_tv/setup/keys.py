"""The site's secret files: the lease signing key, the masters of TVs' keys and the secret between publisher and edges.

Both lie in the site folder, outside `private/files` and `private/backups`, so that no backup, no file manager and no
web server hands them out. site_config holds their paths only.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import frappe
from frappe.installer import update_site_config

FOLDER = "tv-keys"
LEASE_KEY = "subscriber_tv_lease_key"
FEED_SECRET = "subscriber_tv_feed_secret"
MQTT_PASSWORD = "subscriber_tv_mqtt_password"
MQTT_TV_SECRET = "subscriber_tv_mqtt_tv_secret"
MASTERS = "subscriber_tv_masters"
FILES: dict[str, str] = {
	LEASE_KEY: "lease-p256.pem",
	FEED_SECRET: "feed-secret.txt",
	MASTERS: "tv-masters.json",
	MQTT_PASSWORD: "mqtt-password.txt",
	MQTT_TV_SECRET: "mqtt-tv-secret.txt",
}
KEPT_EPOCHS = 2


def make_key_files() -> None:
	"""Make the files that are missing (mode 0400) and name them in site_config; existing files are never replaced."""
	makers: dict[str, Callable[[], str]] = {
		LEASE_KEY: _new_lease_key,
		FEED_SECRET: _new_secret,
		MQTT_PASSWORD: _new_secret,
		MQTT_TV_SECRET: _new_secret,
		MASTERS: _new_masters,
	}
	for key, file_name in FILES.items():
		configured = frappe.conf.get(key)
		if configured and os.path.exists(configured):
			continue
		path = _folder() / file_name
		if not path.exists():
			_write(path, makers[key]())
		update_site_config(key, str(path))
		frappe.conf[key] = str(path)


def rotate_masters() -> tuple[int, Path]:
	"""Begin a new epoch: a new master, beside the one before it. Returns its number and the file.

	Keys of the epoch before stay valid until the next rotation; older ones end now.
	"""
	from subscriber_tv.core.devices import mac

	path = Path(frappe.conf[MASTERS])
	keys = dict(mac.read_masters(path.read_bytes()).keys)
	epoch = max(keys) + 1
	keys[epoch] = secrets.token_bytes(mac.MASTER_BYTES)
	newest = {number: keys[number] for number in sorted(keys)[-KEPT_EPOCHS:]}
	# A whole new file in the old one's place: nobody ever reads half of it.
	fresh = path.with_suffix(".new")
	fresh.unlink(missing_ok=True)
	_write(fresh, mac.write_masters(newest).decode())
	fresh.replace(path)
	return epoch, path


def remove_key_files() -> None:
	"""Delete the files this app made and their entries in site_config. A file kept elsewhere by hand stays."""
	folder = _folder(make=False)
	for key, file_name in FILES.items():
		(folder / file_name).unlink(missing_ok=True)
		update_site_config(key, "None")  # the word "None" removes an entry
		frappe.conf.pop(key, None)
	if folder.is_dir() and not any(folder.iterdir()):
		folder.rmdir()


def _folder(make: bool = True) -> Path:
	folder = Path(frappe.get_site_path()).resolve() / FOLDER
	if make:
		folder.mkdir(mode=0o700, exist_ok=True)
	return folder


def _write(path: Path, text: str) -> None:
	"""Create the file with its final mode at once, so that it is never readable by others, not even briefly."""
	descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
	with os.fdopen(descriptor, "w") as handle:
		handle.write(text)


def _new_lease_key() -> str:
	from subscriber_tv.core.devices import jws

	pem = jws.new_key()
	return pem.decode() if isinstance(pem, bytes) else pem


def _new_secret() -> str:
	return secrets.token_urlsafe(32)


def _new_masters() -> str:
	from subscriber_tv.core.devices import mac

	return mac.write_masters({1: secrets.token_bytes(mac.MASTER_BYTES)}).decode()
