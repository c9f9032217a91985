"""What stands before an endpoint: whose request it is, how large, how often, and in which role.

**Which address a request comes from.** The first value of X-Forwarded-For is whatever the sender wrote, so it is
never believed. The address of the connection counts, unless it belongs to a trusted proxy: then the last value
of X-Forwarded-For that is not itself a trusted proxy. Trusted are loopback (the usual reverse proxy on the
same machine) and the networks listed in site_config `subscriber_tv_trusted_proxies`, edges included since they
hand enrolments on.

**How often.** A TV that proves itself may ask 10 times a minute. Failures are counted per IPv4 address or IPv6 /64:
after 20 in a minute, everybody there who fails gets 429 instead of the reason, known or not. A TV that proves
itself is answered all the same: a hotel is one address, and one broken set must not darken the others. An
enrolment proves nothing, so it counts against the network that sent it and never against the serial it names: nobody
can lock another's TV out. No serial is ever locked. Wrong pairing codes count for their user, five in a quarter of an hour, and for
everybody together, so that many accounts guess no better than one. site_config `subscriber_tv_limits` may set other figures.
"""

import ipaddress
from collections.abc import Iterable

import frappe
from frappe import _

from subscriber_tv.flows.contracts.sales_limits import KEEPERS_OF_TERMS
from subscriber_tv.flows.permitted import permitted

STAFF_PAIRING = ("TV Support", "TV Back Office", "TV Logistics", "System Manager")
STAFF_REVOKING = ("TV Support", "TV Back Office", "System Manager")
STAFF_COMMANDING = {
	"TV Device": ("TV Support", "TV Back Office", "TV Logistics", "System Manager"),
	"TV Site": ("TV Support", "TV Back Office", "System Manager"),
	"TV Device Model": ("TV Back Office", "System Manager"),
}
"""Who may send commands how far: the more screens, the fewer people."""
STAFF_LOGISTICS = ("TV Logistics", "TV Back Office", "System Manager")
STAFF_SELLING = ("TV Sales", "TV Back Office", "TV Billing", "System Manager")
STAFF_SUGGESTING = (*STAFF_SELLING, "TV Support", "TV Marketing")
STAFF_KEEPING_TERMS = KEEPERS_OF_TERMS
STAFF_LEAVING_EARLY = ("TV Billing", "TV Management", "System Manager")
"""Sales may sell more or other; prices of one's own and what was agreed belong to those who answer for them."""

LIMITS = {
	"device": (10, 60),
	"enrolments": (60, 60),
	"challenges": (1200, 60),
	"failures": (20, 60),
	"codes": (5, 900),
	"all_codes": (100, 900),
	"usage": (120, 60),
	"commands": (60, 3600),
	"wide_commands": (12, 3600),
}
"""Most requests and in how many seconds: of one TV, of pairing codes given to one network, of challenges and questions for a
token of one network, of failures of one network, of wrong codes of one user and of all users, of messages with usage records of one user,
of commands of one user to a TV and to many."""

LOOPBACK = ("127.0.0.0/8", "::1/128")


def network_address(peer: str | None, forwarded: str | None, trusted: Iterable[str] | None = None) -> str:
	"""The address a request counts for, by the rule above; `0.0.0.0` when none can be told.

	:param peer: address of the connection
	:param forwarded: value of X-Forwarded-For, or None
	"""
	proxies = [ipaddress.ip_network(network, strict=False) for network in (*LOOPBACK, *(trusted or ()))]
	found = _address(peer)
	for value in reversed((forwarded or "").split(",")):
		if found is None or not any(found in network for network in proxies):
			break
		found = _address(value) or found
	return str(found) if found else "0.0.0.0"


def request_network() -> str:
	"""The address of the current request, by the rule above."""
	request = frappe.local.request
	return network_address(
		request.environ.get("REMOTE_ADDR"),
		request.headers.get("X-Forwarded-For"),
		frappe.conf.get("subscriber_tv_trusted_proxies"),
	)


def bucket_of(address: str) -> str:
	"""The network failures are counted for: the IPv4 address itself, the /64 of an IPv6 one."""
	found = _address(address)
	if found is None or found.version == 4:
		return address
	return str(ipaddress.ip_network(f"{found}/64", strict=False))


def spend(kind: str, key: str) -> bool:
	"""Count one request; False when `key` had used up its limit before. Redis being away limits nobody."""
	most, seconds = _limit(kind)
	name = frappe.cache.make_key(f"tv-limit|{kind}|{key}")
	try:
		# In one step: a process that died between counting and dating would leave a count that never ends.
		with frappe.cache.pipeline(transaction=True) as steps:
			used = steps.set(name, 0, ex=seconds, nx=True).incr(name).execute()[-1]
	except Exception:
		frappe.logger("subscriber_tv").warning("No rate limit without Redis", exc_info=True)
		return True
	return used <= most


def spent(kind: str, key: str) -> bool:
	"""Whether `key` has used up its limit, without counting."""
	name = frappe.cache.make_key(f"tv-limit|{kind}|{key}")
	# make_key has put the site in front.
	return int(frappe.cache.get(name) or 0) >= _limit(kind)[0]  # nosemgrep


def has_role(roles: Iterable[str]) -> bool:
	"""Whether the session's user has one of these roles; Administrator has all."""
	return frappe.session.user == "Administrator" or bool(set(roles) & set(frappe.get_roles()))


def only_for(*roles: str) -> None:
	"""Refuse the request of a user who has none of these roles, and name them. Errors: PermissionError."""
	if not has_role(roles):
		frappe.throw(
			_("Your roles do not allow this. It takes one of: {0}.").format(
				", ".join(sorted(_(role) for role in roles))
			),
			frappe.PermissionError,
			title=_("Not Allowed"),
		)


def require_company(company: str) -> None:
	"""Refuse a company that user permissions keep from the user; many who work for one may not read its document."""
	if not permitted("Company", [company]):
		frappe.throw(
			_("You may not work for company {0}.").format(frappe.bold(frappe.utils.escape_html(company))),
			frappe.PermissionError,
			title=_("Not Allowed"),
		)


def _limit(kind: str) -> tuple[int, int]:
	return tuple((frappe.conf.get("subscriber_tv_limits") or {}).get(kind) or LIMITS[kind])


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
	try:
		found = ipaddress.ip_address((text or "").strip())
	except ValueError:
		return None
	return getattr(found, "ipv4_mapped", None) or found
