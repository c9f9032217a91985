"""Power every TV of the demo on, again and again. Run with the tool environment as `python power_fleet.py URL CSV`.

The CSV is the demo's bindings.csv; the TVs' credentials follow from their serials. Prints what the TVs saw each time.
"""

import csv
import sys
import time
from pathlib import Path

from subscriber_tv.core.imports.demo_keys import demo_credential
from subscriber_tv.simulator.fleet import Identity, power_on_all, report
from subscriber_tv.simulator.http import NoAnswer, Service

PAUSE = 30


def fleet_of(path: Path) -> list[Identity]:
	with path.open(newline="", encoding="utf-8-sig") as rows:
		return [Identity(row["serial"], demo_credential(row["serial"])) for row in csv.DictReader(rows)]


def keep_powering_on(url: str, path: Path) -> None:
	fleet, remembered = fleet_of(path), {}
	while True:
		try:
			result = power_on_all(fleet, lambda: Service(url), threads=4, remembered=remembered)
			print(report(result), flush=True)
		except NoAnswer as silence:
			print(f"no answer from {url}: {silence}", flush=True)
		time.sleep(PAUSE)


if __name__ == "__main__":
	keep_powering_on(sys.argv[1], Path(sys.argv[2]))
