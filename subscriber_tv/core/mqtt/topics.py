"""Topics of the message broker, made and read in one place. `tv/v1/{operator}/…`:

| topic | who writes | what |
|---|---|---|
| `d/{serial}/cmd`, `site/{site}/cmd`, `g/{group}/cmd` | app | a signed command, or a mere hint |
| `d/{serial}/ent` | app | a hint, retained |
| `d/{serial}/st`, `…/hb`, `…/ack` | that TV | presence (retained, last will), telemetry, acknowledgement |

Nothing that could be a wildcard or a level of its own ever gets into a topic: serials and operators that do not have
their shape are refused, names of sites and groups that do not are replaced by a hash.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from subscriber_tv.core.devices import jws

ROOT = "tv/v1"
DEVICE, SITE, GROUP = "d", "site", "g"
COMMAND, RIGHTS, STATE, HEARTBEAT, ACKNOWLEDGEMENT = "cmd", "ent", "st", "hb", "ack"

TO_TV = (COMMAND, RIGHTS)
FROM_TV = (STATE, HEARTBEAT, ACKNOWLEDGEMENT)
# Kind of address -> what may stand at its end.
LEAVES = {DEVICE: TO_TV + FROM_TV, SITE: (COMMAND,), GROUP: (COMMAND,)}

_SERIAL = re.compile(r"[A-Z0-9-]{6,32}")
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASHED = re.compile(r"~[A-Za-z0-9_-]{22}")


class BadTopic(ValueError):
	"""Not a topic of ours, or a name that may not stand in one."""


@dataclass(frozen=True)
class Address:
	"""Whose topic it is and which: kind `d`, `site` or `g`; id a serial or a `label`; leaf `cmd`, `ent`, `st`, `hb` or `ack`."""

	kind: str
	id: str
	leaf: str


def is_operator(text: str) -> bool:
	"""Whether this may be the operator's part: small letters, digits and hyphens, at most 32."""
	return bool(_OPERATOR.fullmatch(text))


def is_serial(text: str) -> bool:
	"""Whether this has the shape of a serial."""
	return bool(_SERIAL.fullmatch(text))


def label(name: str) -> str:
	"""How a site or group of any name is written in a topic: the name itself where it may stand there, else its hash."""
	if _NAME.fullmatch(name):
		return name
	return "~" + jws.b64url(hashlib.sha256(name.encode()).digest())[:22]


def build(operator: str, kind: str, name: str, leaf: str) -> str:
	"""The topic of a TV (`name` is its serial), site or group. Errors: BadTopic."""
	if not is_operator(operator) or leaf not in LEAVES.get(kind, ()) or not name:
		raise BadTopic(f"{operator!r} {kind!r} {name!r} {leaf!r}")
	if kind == DEVICE and not is_serial(name):
		raise BadTopic(f"{name!r} is no serial")
	return f"{ROOT}/{operator}/{kind}/{name if kind == DEVICE else label(name)}/{leaf}"


def parse(operator: str, topic: str) -> Address:
	"""What a topic of this operator means. Errors: BadTopic."""
	prefix = f"{ROOT}/{operator}/"
	parts = topic.removeprefix(prefix).split("/")
	if not is_operator(operator) or not topic.startswith(prefix) or len(parts) != 3:
		raise BadTopic(topic)
	kind, name, leaf = parts
	well_named = is_serial(name) if kind == DEVICE else _NAME.fullmatch(name) or _HASHED.fullmatch(name)
	if leaf not in LEAVES.get(kind, ()) or not well_named:
		raise BadTopic(topic)
	return Address(kind, name, leaf)


def of_all_tvs(operator: str) -> tuple[str, ...]:
	"""The filters under which the app hears every TV. Errors: BadTopic."""
	if not is_operator(operator):
		raise BadTopic(operator)
	return tuple(f"{ROOT}/{operator}/{DEVICE}/+/{leaf}" for leaf in FROM_TV)


def heard_by(operator: str, serial: str, site: str = "", group: str = "") -> tuple[str, ...]:
	"""The topics a TV subscribes to: its own, its site's and its group's. Errors: BadTopic."""
	own = tuple(build(operator, DEVICE, serial, leaf) for leaf in TO_TV)
	shared = ((SITE, site), (GROUP, group))
	return own + tuple(build(operator, kind, name, COMMAND) for kind, name in shared if name)
