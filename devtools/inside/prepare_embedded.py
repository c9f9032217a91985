"""Fill an edge's file from the demo's CSV files: the same rows, the same compiler, the same loader as in production.

Run with the tool environment as `python prepare_embedded.py FIXTURES FOLDER`. Only the keys differ: signer and master are
made here and thrown away, so the leases live a week and nobody renews them; the root stays. Prints JSON for the demo to show.
"""

import json
import os
import secrets
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from public_keys import DAYS as ROOT_DAYS
from public_keys import root_signer

from subscriber_tv.core.activation import feed, projection
from subscriber_tv.core.devices import jws, mac
from subscriber_tv.core.devices.root import sign_keys
from subscriber_tv.core.imports.demo_keys import demo_credential
from subscriber_tv.core.imports.facts import facts_of
from subscriber_tv.core.imports.parse import parse
from subscriber_tv.core.imports.rows import KINDS
from subscriber_tv.edge.store import Store

LEASE_SECONDS = 7 * 86400
ISSUER = "embedded-demo"


def prepare(fixtures: Path, folder: Path, now: int) -> dict:
	rows = {kind: _rows(kind, fixtures / f"{kind}.csv") for kind in KINDS}
	facts = facts_of(rows, datetime.fromtimestamp(now, timezone.utc).date())
	signer = jws.Signer(jws.new_key())
	signed = [
		projection.sign(row, signer, now, LEASE_SECONDS, ISSUER).entry
		for row in projection.compile(facts, now)
	]
	entries = tuple(entry.numbered(number) for number, entry in enumerate(signed, start=1))
	page = feed.Page("snapshot", 0, len(entries), now, True, entries)
	keys = sign_keys(jws.jwks(signer), root_signer(folder.parent / "root-key.pem"), now, ROOT_DAYS)
	(folder / "lease-keys.json").write_text(json.dumps(keys))
	masters = mac.write_masters({1: secrets.token_bytes(mac.MASTER_BYTES)})
	with os.fdopen(os.open(folder / "tv-masters.json", os.O_WRONLY | os.O_CREAT, 0o400), "wb") as file:
		file.write(masters)
	store = Store(folder / "edge.sqlite")
	store.load_snapshot([feed.encode_page(page, signer)], jws.Verifier(keys))
	store.close()
	return _summary(entries)


def _rows(kind: str, path: Path) -> tuple:
	parsed = parse(kind, path.read_bytes(), path.name)
	for problem in parsed.problems:
		print(f"{problem.file}, line {problem.line}: {problem.reason()}", file=sys.stderr)
	return parsed.rows


def _summary(entries: tuple[feed.Entry, ...]) -> dict:
	devices = [entry for entry in entries if entry.kind == "Device"]
	allowed = [entry.subject for entry in devices if entry.state == "Active"]
	refused = [entry.subject for entry in devices if entry.state != "Active"]
	pages = {"watching": _page(allowed[0]), "refused": _page(refused[0])}
	return {"devices": len(devices), **pages, "left": [allowed[0], refused[0]]}


def _page(serial: str) -> str:
	"""The TV page as the TV that holds the demo's secret of this serial."""
	return f"/tv/?serial={serial}&poll=5#credential={demo_credential(serial)}"


if __name__ == "__main__":
	print(json.dumps(prepare(Path(sys.argv[1]), Path(sys.argv[2]), int(time.time()))))
