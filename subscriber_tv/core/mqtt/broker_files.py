"""What a broker must be told so that it keeps TVs apart: access lists for Mosquitto and EMQX, passwords for Mosquitto.

A TV's client id, user name and serial are one. It reads its own topics, its site's and its group's, and writes its own three.
Mosquitto knows no attribute of a user but the name, so a TV's site and group are lines of its own; everybody's own
topics are patterns. Whatever is not allowed is denied: wildcards, `$SYS` and other operators' topics need no line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import topics

ITERATIONS = 101
"""Of PBKDF2 in Mosquitto's own tool. A TV's password has 256 random bits, so guessing it is hopeless at any number."""


@dataclass(frozen=True)
class Member:
	"""A TV that may connect, with the names of its site and group; empty when it has none."""

	serial: str
	site: str = ""
	group: str = ""


@dataclass(frozen=True)
class Services:
	"""User names of the app's own two connections. They have small letters, so no serial can be one of them."""

	publisher: str
	listener: str


def services(prefix: str) -> Services:
	"""The two users of the app, named after what TV Settings calls it. Errors: BadTopic."""
	if not topics.is_operator(prefix):
		raise topics.BadTopic(prefix)
	return Services(f"{prefix}-publisher", f"{prefix}-listener")


def tv_password(secret: bytes, serial: str) -> str:
	"""The password of a TV, which follows from the site's secret and can be told again: 43 characters."""
	return jws.b64url(hmac.digest(secret, b"tv-mqtt-1\n" + serial.encode(), "sha256"))


def mosquitto_acl(operator: str, users: Services, members: Iterable[Member] = ()) -> str:
	"""Text of Mosquitto's `acl_file`. Errors: BadTopic."""
	lines = ["# Written by `bench --site SITE subscriber-tv mqtt-files`. What is not here is denied."]
	lines += _user(users.publisher, (f"topic write {topic}" for topic in _for_many(operator)))
	lines += _user(users.listener, (f"topic read {topic}" for topic in topics.of_all_tvs(operator)))
	lines += ["", "# Every TV: its own topics, by its user name."]
	own = f"{topics.ROOT}/{operator}/{topics.DEVICE}/%u"
	lines += [f"pattern read {own}/{leaf}" for leaf in topics.TO_TV]
	lines += [f"pattern write {own}/{leaf}" for leaf in topics.FROM_TV]
	for member in members:
		shared = topics.heard_by(operator, member.serial, member.site, member.group)[len(topics.TO_TV) :]
		if shared:
			lines += _user(member.serial, (f"topic read {topic}" for topic in shared))
	return "\n".join(lines) + "\n"


def emqx_acl(operator: str, users: Services) -> str:
	"""Text of EMQX's `acl.conf` (5.8 and later). Site and group come from the client attributes of those names. Errors: BadTopic."""
	own = f"{topics.ROOT}/{operator}/{topics.DEVICE}/${{username}}"
	shared = (
		f"{topics.ROOT}/{operator}/{kind}/${{client_attrs.{name}}}/{topics.COMMAND}"
		for kind, name in ((topics.SITE, "site"), (topics.GROUP, "group"))
	)
	rules = [
		("allow", f'{{username, "{users.publisher}"}}', "publish", _for_many(operator)),
		("allow", f'{{username, "{users.listener}"}}', "subscribe", _exactly(topics.of_all_tvs(operator))),
		("allow", "all", "subscribe", [f"{own}/{leaf}" for leaf in topics.TO_TV]),
		("allow", "all", "subscribe", list(shared)),
		("allow", "all", "{publish, [{qos, 1}]}", [f"{own}/{topics.STATE}"]),
		("allow", "all", "{publish, [{qos, 0}, {retain, false}]}", [f"{own}/{topics.HEARTBEAT}"]),
		("allow", "all", "{publish, [{qos, 1}, {retain, false}]}", [f"{own}/{topics.ACKNOWLEDGEMENT}"]),
	]
	lines = ["%% What is not here is denied; set authorization.no_match = deny as well."]
	lines += [f"{{{allow}, {who}, {what}, [{_quoted(where)}]}}." for allow, who, what, where in rules]
	return "\n".join([*lines, "{deny, all}."]) + "\n"


def mosquitto_passwords(passwords: dict[str, str], secret: bytes) -> str:
	"""Text of Mosquitto's `password_file`: user names and the PBKDF2 of their passwords.

	The salt follows from the secret and the name, so that the file is the same as long as the passwords are.
	"""
	return "".join(f"{user}:{_hashed(user, word, secret)}\n" for user, word in sorted(passwords.items()))


def _hashed(user: str, password: str, secret: bytes) -> str:
	salt = hmac.digest(secret, b"tv-mqtt-salt\n" + user.encode() + b"\n" + password.encode(), "sha256")[:12]
	found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
	return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(found).decode()}"


def _for_many(operator: str) -> list[str]:
	"""Filters of all topics that the app writes. Errors: BadTopic."""
	if not topics.is_operator(operator):
		raise topics.BadTopic(operator)
	return [
		f"{topics.ROOT}/{operator}/{kind}/+/{leaf}"
		for kind, leaves in topics.LEAVES.items()
		for leaf in leaves
		if leaf in topics.TO_TV
	]


def _user(name: str, rules: Iterable[str]) -> list[str]:
	return ["", f"user {name}", *rules]


def _exactly(filters: Iterable[str]) -> list[str]:
	"""As they stand, wildcards included: EMQX would otherwise also allow whatever such a filter covers."""
	return [f"eq {one}" for one in filters]


def _quoted(where: Iterable[str]) -> str:
	return ", ".join(
		f'{{eq, "{one.removeprefix("eq ")}"}}' if one.startswith("eq ") else f'"{one}"' for one in where
	)
