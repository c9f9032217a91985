"""Print, as JSON, TV page addresses worth looking at in the demo. Run with the tool environment and the fixtures' folder.

Each is the part after the edge's address, what the TV shows, and for a TV that waits to be bound the reference of its
subscription in the files.
"""

import csv
import json
import sys
from pathlib import Path

from subscriber_tv.core.imports.demo_keys import demo_credential


def addresses(fixtures: Path) -> dict[str, str]:
	bound = [row["serial"] for row in _read(fixtures / "bindings.csv")]
	waiting = next(row for row in _read(fixtures / "deliveries.csv") if row["serial"] not in bound)
	return {
		"watching_serial": bound[0],
		"watching": f"/tv/?serial={bound[0]}&poll=5#credential={demo_credential(bound[0])}",
		"waiting": f"/tv/?serial={waiting['serial']}&poll=5",
		"waiting_subscription": waiting["subscription"],
	}


def _read(path: Path) -> list[dict[str, str]]:
	with path.open(newline="", encoding="utf-8-sig") as rows:
		return list(csv.DictReader(rows))


if __name__ == "__main__":
	print(json.dumps(addresses(Path(sys.argv[1]))))
