"""The TV page, read once at start: what is not in this table does not exist, so no path can lead anywhere else."""

from __future__ import annotations

from pathlib import Path

from subscriber_tv.core.devices.wire import Answer

PREFIX = "/tv/"
_TYPES = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}
_POLICY = (
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def load_pages(folder: Path) -> dict[str, Answer]:
	"""Path -> answer for every file of the TV page; empty when the page is not installed."""
	files = [file for file in sorted(folder.rglob("*")) if file.suffix in _TYPES]
	pages = {PREFIX + file.relative_to(folder).as_posix(): _page(file) for file in files}
	if PREFIX + "index.html" in pages:
		pages[PREFIX] = pages[PREFIX + "index.html"]
		for path in ("/", "/tv"):
			pages[path] = Answer(302, b"", (("Location", PREFIX),))
	return pages


def _page(file: Path) -> Answer:
	headers = (
		("Content-Type", _TYPES[file.suffix]),
		("Cache-Control", "no-cache"),
		("Content-Security-Policy", _POLICY),
		("X-Content-Type-Options", "nosniff"),
		("Referrer-Policy", "no-referrer"),
	)
	return Answer(200, file.read_bytes(), headers)
