"""The core's tests must stay under two seconds: nothing here makes garbage worth stopping for.

Properties over whole histories are slower than the rules they are made of. They bear the mark `histories` and run with
the suite `unit`, where more examples are drawn.
"""

import gc
import os

gc.disable()


def pytest_configure(config):
	config.addinivalue_line("markers", "histories: a property over whole histories, run with the suite unit")


def pytest_collection_modifyitems(config, items):
	"""The suite `unit` takes from here what the suite `core` leaves out."""
	if os.environ.get("SUBSCRIBER_TV_SUITE") != "unit":
		return
	here = os.path.dirname(__file__)
	left = [
		item for item in items if str(item.path).startswith(here) and not item.get_closest_marker("histories")
	]
	config.hook.pytest_deselected(items=left)
	dropped = set(left)
	items[:] = [item for item in items if item not in dropped]
