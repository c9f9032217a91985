"""What every suite under tests/ shares."""

import os

try:
	from hypothesis import settings
except ImportError:  # the browser and site suites do without it
	settings = None

if settings:
	# The same examples on every run, so that a red run is a change of ours; SUBSCRIBER_TV_EXPLORE=1 looks further.
	settings.register_profile("steady", max_examples=25, derandomize=True, deadline=None)
	settings.register_profile("explore", max_examples=2000, deadline=None)
	settings.load_profile("explore" if os.environ.get("SUBSCRIBER_TV_EXPLORE") else "steady")
