"""Signs batches of rows on the machine's other processors.

Signing costs more than all else that a row needs, and Python signs on one processor at a time. A child process holds the
lease key in memory, as the publisher does, and nothing of the operator's data beyond the batch it is given.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from subscriber_tv.core.activation import signing
from subscriber_tv.core.devices import jws

# Rows in one batch: some 15 ms of work.
BATCH = 500
_LOOK = 2.0

_child: dict[str, jws.Signer] = {}


class Signers:
	"""Child processes with one key. Closed with the publisher; they end by themselves when it is killed."""

	def __init__(self, pem: bytes, processes: int):
		self._pool = ProcessPoolExecutor(
			processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(pem, os.getpid())
		)

	def sign(self, jobs: Sequence[signing.Job]) -> Iterator[list[bytes]]:
		"""The packed rows of these jobs in their order, batch by batch: the next ones are signed while these are used."""
		slices = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
		yield from map(signing.rows_of, self._pool.map(_sign, map(signing.batch, slices)))

	def close(self) -> None:
		"""End the processes."""
		self._pool.shutdown(cancel_futures=True)


def _begin(pem: bytes, parent: int) -> None:
	_child["signer"] = jws.Signer(pem)
	threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
	while os.getppid() == parent:
		time.sleep(_LOOK)
	os._exit(0)


def _sign(batch: bytes) -> bytes:
	return signing.sign_batch(batch, _child["signer"])
