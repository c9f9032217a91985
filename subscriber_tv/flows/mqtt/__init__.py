"""Hints and commands to TVs over the message broker, and what TVs say there."""
