"""Whole histories: slower than the rules they are made of, so they get their own place and more examples."""

import os

from hypothesis import settings

if not os.environ.get("SUBSCRIBER_TV_EXPLORE"):
	settings.register_profile("histories", max_examples=60, derandomize=True, deadline=None)
	settings.load_profile("histories")
