"""Print the public half of a signing key as JWKS, vouched for by a root key, for an edge to pin and for the site to publish.

Run as `python public_keys.py KEY.pem ROOT.pem`. The root is made when there is none; in production it never comes near a server.
"""

import json
import os
import sys
import time
from pathlib import Path

from subscriber_tv.core.devices import jws
from subscriber_tv.core.devices.root import sign_keys

DAYS = 365


def public_keys(key: Path, root: Path) -> dict:
	"""The signed key set of a private key."""
	signer = jws.Signer(key.read_bytes())
	return sign_keys(jws.jwks(signer), root_signer(root), int(time.time()), DAYS)


def root_signer(root: Path) -> jws.Signer:
	"""The root key of this file, made when it is missing."""
	if not root.exists():
		with os.fdopen(os.open(root, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
			file.write(jws.new_key())
	return jws.Signer(root.read_bytes())


if __name__ == "__main__":
	print(json.dumps(public_keys(Path(sys.argv[1]), Path(sys.argv[2]))))
