"""How soon an edge with a whole operator's TVs answers again after it was killed."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

from edge_process import EdgeProcess, eventually
from feed_publisher import OFFER, Rights

from subscriber_tv.core.activation import compact, feed, projection
from subscriber_tv.core.activation.projection import ContractFacts, DeviceFacts, Facts, LineSpan, Span
from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge.store import Store

KILLS = 5
PAGE = 5000
SERIAL = "HOTEL-000001"


def after_kill(folder: Path, tvs: int) -> dict:
	"""Kill it several times while it runs; seconds from its start to `ready`, and to the first TV that is served."""
	rights = Rights()
	rights.set_state(SERIAL, "Active")
	with closing(Store(folder / "edge.db")) as store:
		store.load_snapshot(_pages(rights, tvs), Verifier(json.loads(rights.jwks())))
	edge = EdgeProcess(folder, rights, "", WORKERS="2")
	ready, served, spent = [], [], []
	try:
		for _ in range(KILLS):
			time.sleep(1)
			edge.kill()
			began = time.monotonic()
			edge.start()
			eventually(lambda: edge.request("GET", "/v1/ready")[0] == 200)
			ready.append(time.monotonic() - began)
			spent.append(sum(map(_spent, (edge.pid, *edge.workers()))))
			eventually(lambda: edge.power_on(SERIAL)[0] == 200)
			served.append(time.monotonic() - began)
	finally:
		edge.stop()
	size = (folder / "edge.db").stat().st_size / tvs
	seen = {"kills": KILLS, "bytes a TV": size, "ready, median s": sorted(ready)[KILLS // 2]}
	seen |= {"processor s until ready, median": sorted(spent)[KILLS // 2]}
	seen |= {"ready, slowest s": max(ready), "first TV served, slowest s": max(served)}
	return {"TVs": tvs, "seen": seen, "broken": ["ready after more than 2 s"] * (max(ready) > 2)}


def _spent(pid: int) -> float:
	"""Seconds of processor time that a process has used."""
	fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
	return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pages(rights: Rights, tvs: int) -> Iterator[tuple[bytes, str]]:
	"""A snapshot of so many TVs, each with a lease of its own."""
	entries, now, offer = rights.rows, int(time.time()), rights.rows[OFFER.name]
	device = DeviceFacts("", entries[SERIAL].key_hash, SERIAL, "L1")
	contract = ContractFacts(
		SERIAL, "Europe/Paris", (Span("Active", date(2026, 1, 1)),), (LineSpan("L1", OFFER.name),)
	)
	(unsigned,) = projection.compile(Facts((device,), (contract,), (OFFER,)), now)[1:]
	for first in range(0, tvs, PAGE):
		rows = [offer.numbered(1)] if not first else []
		for number in range(first + 1, min(first + PAGE, tvs) + 1):
			one = replace(unsigned, subject=f"HOTEL-{number:06}")
			entry = projection.sign(one, rights.signer, now, rights.max_stale, "test", number).entry
			rows.append(compact.on_its_way(entry.numbered(number + 1)))
		after = first + 1 if first else 0
		page = feed.Page(feed.SNAPSHOT, after, rows[-1].seq, now, first + PAGE >= tvs, tuple(rows))
		yield feed.encode_page(page, rights.signer)
