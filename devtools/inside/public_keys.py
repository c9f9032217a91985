"""Print the public half of a signing key as JWKS, for an edge to pin. Run as `python public_keys.py KEY.pem`."""

import json
import sys
from pathlib import Path

from subscriber_tv.core.devices import jws

print(json.dumps(jws.jwks(jws.Signer(Path(sys.argv[1]).read_bytes()))))
