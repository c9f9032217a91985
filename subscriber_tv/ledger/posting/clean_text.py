"""Tells without parsing it whether Frappe's HTML cleaner would leave a text as it is.

Cleaning two texts of an invoice, its addresses and its table of taxes, costs as much as posting its ledger. What the
cleaner does depends on the tags and not on the plain words between them, so each arrangement of tags is cleaned once.
"""

import re

from frappe.utils import sanitize_html

from subscriber_tv.ledger.posting.shortcuts import kept

TAG = re.compile(r"(<[^<>]*>)")
PLAIN = re.compile(r"(?:[\w\s,;()%€'+-]|\.(?!\w)|(?<=\d)\.(?=\d))*")
"""Text that means nothing to the cleaner or to the finder of links: no entities, addresses of pages or mail."""

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f]")


def is_clean(text: str | None, *, linkify: bool) -> bool:
	"""Whether `sanitize_html` surely gives back this HTML unchanged; False means that it has to be asked."""
	if not text or "<" not in text or UNSEEN.search(text):
		return False
	pieces = TAG.split(text)
	# Every other piece is a tag.
	if not all(PLAIN.fullmatch(piece) for piece in pieces[::2]):
		return False
	pieces[::2] = (re.sub(r"\S+", "x", piece) for piece in pieces[::2])
	shape = "".join(pieces)
	known = kept("tv_clean_shapes")
	if (shape, linkify) not in known:
		known[shape, linkify] = sanitize_html(shape, linkify=linkify) == shape
	return known[shape, linkify]
