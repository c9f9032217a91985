"""Where things lie: the clone, its own state, and the part of the cache that all clones share."""

import hashlib
import os
import tempfile
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
PACKAGE = CLONE / "subscriber_tv"

# sockaddr_un holds 108 bytes with the closing zero.
LONGEST_SOCKET_PATH = 107


def cache_root() -> Path:
	"""Folder of everything this project keeps outside its clones."""
	base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
	return Path(base).expanduser().resolve() / "subscriber_tv"


def state() -> Path:
	"""This clone's own folder: services, sites, logs. Named after the clone's path, so two clones never meet."""
	return _made(cache_root() / hashlib.sha256(str(CLONE).encode()).hexdigest()[:12])


def shared() -> Path:
	"""Folder of what every clone may reuse; its entries are named by the hash of what they were made from."""
	return _made(cache_root() / "shared")


def logs() -> Path:
	return _made(state() / "logs")


def socket_path(name: str) -> Path:
	"""A path for a Unix socket, short enough for the kernel even when the cache lies deep."""
	path = state() / name
	if len(str(path)) < LONGEST_SOCKET_PATH:
		return path
	folder = Path(tempfile.gettempdir()) / f"subscriber_tv-{os.getuid()}-{state().name}"
	folder.mkdir(mode=0o700, exist_ok=True)
	if folder.stat().st_uid != os.getuid():
		raise SystemExit(f"{folder} belongs to somebody else; set XDG_CACHE_HOME to a shorter path")
	return folder / name


def digest(*parts: str) -> str:
	"""Short name for a combination of texts."""
	return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def tree_digest(root: Path, suffixes: tuple[str, ...] = ()) -> str:
	"""Hash of the names and bytes of every file below `root` (only those with `suffixes`, when given)."""
	total = hashlib.sha256()
	for folder, folders, files in os.walk(root):
		folders[:] = sorted(f for f in folders if f not in ("__pycache__", "node_modules", ".git"))
		for name in sorted(files):
			if suffixes and not name.endswith(suffixes):
				continue
			path = Path(folder) / name
			total.update(str(path.relative_to(root)).encode() + b"\0")
			if path.is_file():
				total.update(hashlib.sha256(path.read_bytes()).digest())
	return total.hexdigest()[:16]


def _made(path: Path) -> Path:
	path.mkdir(parents=True, exist_ok=True)
	return path
