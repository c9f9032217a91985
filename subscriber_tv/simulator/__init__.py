"""Televisions made of software: one that behaves like a TV, and fleets of them for tests, demos and load."""
