"""Into which TV Activation row an answer counts, so that no number of requests makes the table grow without bound.

One row per TV, audience and day of allowed power-ons; one per TV, day, code and version of rights of refusals; and for
everybody else one per reason, network and hour: a stranger's serial is never a key. Days and hours are UTC.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timezone

from subscriber_tv.core.activation.decide import ALLOW, STRANGER, Decision

ALLOWED = "Allowed"
REFUSED = "Refused"
STRANGERS = "Stranger"

# Networks, not addresses: enough to act on, and no attacker owns many of them.
_PREFIX = {4: 24, 6: 48}


@dataclass(frozen=True)
class Bucket:
	"""The row to count in. `key` is its name; the other fields are what the row says."""

	key: str
	kind: str
	code: str = ""
	serial: str = ""
	audience: str = ""
	network: str = ""
	version: int = 0


def bucket(decision: Decision, *, audience: str, address: str, now: int) -> Bucket:
	"""The bucket of an answer given at `now` (epoch seconds UTC) to `address` by `audience` (desk, or an edge's name)."""
	when = datetime.fromtimestamp(now, timezone.utc)
	if decision.kind == STRANGER or decision.row is None:
		network = network_of(address)
		key = f"S|{decision.code}|{network}|{when:%Y-%m-%dT%H}"
		return Bucket(key, STRANGERS, code=decision.code, network=network, audience=audience)
	row = decision.row
	if decision.kind == ALLOW:
		key = f"A|{row.serial}|{audience}|{when:%Y-%m-%d}"
		return Bucket(key, ALLOWED, serial=row.serial, audience=audience, version=row.version)
	key = f"R|{row.serial}|{when:%Y-%m-%d}|{decision.code}|{row.version}"
	return Bucket(key, REFUSED, code=decision.code, serial=row.serial, audience=audience, version=row.version)


def network_of(address: str) -> str:
	"""The /24 (IPv4) or /48 (IPv6) that an address belongs to; "unknown" for what is no address."""
	try:
		parsed = ipaddress.ip_address(address.strip())
	except ValueError:
		return "unknown"
	mapped = getattr(parsed, "ipv4_mapped", None)
	parsed = mapped or parsed
	return str(
		ipaddress.ip_network(f"{parsed.compressed.partition('%')[0]}/{_PREFIX[parsed.version]}", strict=False)
	)
