"""Writes what a Mosquitto broker takes from the site: its access list and its passwords."""

import os
from pathlib import Path

from subscriber_tv.core.mqtt import broker_files
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.mqtt.members import members

ACCESS, PASSWORDS = "acl", "passwords"


def write_files(folder: str | Path) -> int:
	"""Write `acl` and `passwords` (mode 0640) for all TVs that may connect; each replaces the old one at once.

	:return: how many TVs are in them
	"""
	broker.require_broker()
	tvs, users = list(members()), broker.users()
	secret = broker.tv_secret()
	words = {tv.serial: broker_files.tv_password(secret, tv.serial) for tv in tvs}
	words |= {user: broker.app_password() for user in (users.publisher, users.listener)}
	_replace(Path(folder) / ACCESS, broker_files.mosquitto_acl(broker.operator(), users, tvs))
	_replace(Path(folder) / PASSWORDS, broker_files.mosquitto_passwords(words, secret))
	return len(tvs)


def _replace(path: Path, text: str) -> None:
	"""A broker that reads while we write finds the old file or the new one, never half of one."""
	fresh = path.with_name(f".{path.name}.new")
	fresh.unlink(missing_ok=True)
	with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w") as handle:
		handle.write(text)
	fresh.replace(path)
