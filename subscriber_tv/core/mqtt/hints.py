"""Whom to tell that rights changed: each TV by itself, or a whole site at once where most of its TVs are concerned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subscriber_tv.core.mqtt import topics

MANY = 20
"""TVs of one site from which on the site may be told instead."""


@dataclass(frozen=True)
class Change:
	"""A TV whose rights have a new version, and the site it stands at; empty: none."""

	serial: str
	version: int
	site: str = ""


@dataclass(frozen=True)
class Telling:
	"""One hint: to `d` a serial or to a `site`, about a version. `tvs` hear it and may ask.

	:param document: hash of the offer document that it is about; empty: about rights
	"""

	kind: str
	name: str
	version: int
	tvs: int = 1
	document: str = ""


def plan(changes: Iterable[Change], tvs_at: Mapping[str, int], document: str = "") -> list[Telling]:
	"""The fewest hints for these changes. A site is told when at least `MANY` of its TVs and half of them changed.

	Serials that cannot stand in a topic belong to TVs that cannot connect, and are left out.

	:param document: hash of the offer document that changed for these TVs; empty: their rights did
	:param tvs_at: how many TVs each site has in all, bound ones: that many hear a hint to it
	"""
	by_site: dict[str, dict[str, int]] = defaultdict(dict)
	for change in changes:
		if topics.is_serial(change.serial):
			known = by_site[change.site].get(change.serial, 0)
			by_site[change.site][change.serial] = max(change.version, known)
	found = []
	for site, tvs in sorted(by_site.items()):
		total = max(len(tvs), tvs_at.get(site, 0))
		if site and len(tvs) >= MANY and 2 * len(tvs) >= total:
			found.append(Telling(topics.SITE, site, max(tvs.values()), total, document))
		else:
			found += [
				Telling(topics.DEVICE, serial, version, document=document)
				for serial, version in sorted(tvs.items())
			]
	return found


def asked(tellings: Iterable[Telling]) -> int:
	"""How many TVs may ask because of these hints."""
	return sum(telling.tvs for telling in tellings)
