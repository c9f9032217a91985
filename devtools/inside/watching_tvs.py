"""Write the demo's TVs that may play now, with their credentials, as CSV.

Run with the tool environment as `python watching_tvs.py EDGE_DATABASE FIXTURES FILE`.
"""

import csv
import sys
from pathlib import Path

from subscriber_tv.core.imports.demo_keys import demo_credential
from subscriber_tv.core.imports.parse import parse
from subscriber_tv.edge.store import Store


def write(database: Path, fixtures: Path, target: Path) -> None:
	"""TVs that somebody bound by hand are left out: only the files' credentials are known here."""
	bindings = fixtures / "bindings.csv"
	store = Store(database, read_only=True)
	serials = [row.serial for row in parse("bindings", bindings.read_bytes(), bindings.name).rows]
	states = {serial: store.row(serial) for serial in serials}
	watching = [serial for serial, row in states.items() if row and row.state == "Active"]
	with target.open("w", newline="") as file:
		rows = csv.writer(file)
		rows.writerow(("serial", "credential"))
		rows.writerows((serial, demo_credential(serial)) for serial in watching)


if __name__ == "__main__":
	write(*map(Path, sys.argv[1:4]))
