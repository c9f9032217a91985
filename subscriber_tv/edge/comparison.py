"""Tells the ERP what this edge holds, so that it can find what is missing, too much or different (core.activation.compare)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import islice

import msgspec

from subscriber_tv.core.activation import compact, compare, feed
from subscriber_tv.edge.clock import Clock
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.store import Store

_question = msgspec.json.Decoder(compare.Question)


def answer(config: Config, path: str, authorization: str | None, body: bytes) -> tuple[int, bytes]:
	"""Status and body of the answer to the ERP's question, which only who knows the secret of the feed may ask."""
	ask = {compare.SLICES_PATH: slices, compare.ROWS_PATH: rows}.get(path)
	if ask is None:
		return 404, b'{"error":"not_found"}'
	secret = config.feed_secret() if config.feed_secret_file else b""
	now = int(Clock(config.clock_file)())
	if not secret or not feed.authorized(authorization, secret, path, now, method="POST", body=body):
		return 401, b'{"error":"unauthorised"}'
	try:
		question = _question.decode(body)
	except msgspec.MsgspecError:
		return 400, b'{"error":"invalid_request"}'
	try:
		with closing(Store(config.database, read_only=True)) as store, store.frozen():
			return 200, msgspec.json.encode(ask(store, question))
	except sqlite3.Error:
		return 503, b'{"error":"unavailable"}'


def slices(store: Store, question: compare.Question) -> compare.Slices:
	"""Count and sum of every slice."""
	state, sums = store.state(), compare.Sums(question.slices)
	for serial, row in store.packed():
		sums.add(serial, row)
	return compare.Slices(state.seq, state.as_of, tuple(sums.counts), sums.sums(), store.offers())


def rows(store: Store, question: compare.Question) -> compare.Rows:
	"""The TVs of the slices asked for, up to a limit."""
	wanted = frozenset(question.of)
	found = (
		compare.Line(serial, compact.number(row), compare.fingerprint(row))
		for serial, row in store.packed()
		if compare.slice_of(serial, question.slices) in wanted
	)
	listed = tuple(islice(found, compare.MOST_ROWS + 1))
	return compare.Rows(store.state().seq, listed[: compare.MOST_ROWS], len(listed) <= compare.MOST_ROWS)
