"""The protocol as JSON Schemas and as an OpenAPI document, both made of the very types that requests are read with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from subscriber_tv.core.activation import documents, enrolment
from subscriber_tv.core.devices import requests, wire
from subscriber_tv.simulator import vectors
from subscriber_tv.simulator.http import DESK, EDGE, Paths

_COMPONENTS = "#/components/schemas/"
REQUESTS: dict[str, tuple[type, ...]] = {
	"auth": (requests.Auth,),
	"challenge": (requests.Challenge,),
	"assert": (requests.Signed, requests.Secret),
	"enrol": (requests.Signed, requests.EnrolSecret),
	"token": (requests.Token, requests.TokenSecret),
	"heartbeat": (requests.Heartbeat,),
	"stream": (requests.StreamSlot,),
}
CLAIMS = (requests.Claims, requests.Enrol, requests.TokenClaims, documents.Lease, documents.Denial)


class Error(msgspec.Struct):
	"""Every other refusal."""

	error: str
	error_description: str


class Challenged(msgspec.Struct):
	"""A challenge, good for two minutes."""

	challenge: str


class Hello(msgspec.Struct):
	"""Who answers here, and what time it is."""

	aud: str
	time: int


class KeySet(msgspec.Struct):
	"""The operator's public keys (RFC 7517), and the token by which the root vouches for them, where there is one."""

	keys: list[dict[str, str]]
	signed: str = ""


class Slot(msgspec.Struct):
	"""The stream may run until then (epoch seconds)."""

	until: int
	n: str


class StreamRefused(msgspec.Struct):
	"""The channel is not part of the offer, is locked (`pin`: a PIN opens it), or too many streams run: these."""

	error: str
	error_description: str
	n: str
	running: list[str] = []
	pin: bool = False


REPLIES: dict[str, dict[int, type | None]] = {
	"auth": {200: wire.Allowed, 403: wire.Denied, 409: wire.Conflict},
	"challenge": {200: Challenged},
	"assert": {200: wire.Allowed, 403: wire.Denied, 409: wire.Conflict},
	"enrol": {200: enrolment.Enrolled},
	"token": {200: enrolment.Granted},
	"heartbeat": {204: None, 409: wire.Conflict},
	"stream": {200: Slot, 403: StreamRefused, 409: StreamRefused},
}
_REFUSALS = {
	400: "the request is not valid, or (token) an error of RFC 8628",
	401: "the TV is not known here, or proved nothing",
	408: "not here within five seconds",
	413: "larger than 4096 bytes",
	415: "not application/json",
	429: "too many requests",
	431: "headers larger than 8192 bytes",
	503: "ask again later",
}
_HEADERS = {
	"X-TV-MAC": {
		"description": "MAC of the body",
		"required": True,
		"schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
	},
	"Retry-After": {
		"description": "seconds",
		"required": True,
		"schema": {"type": "string", "pattern": "^[0-9]+$"},
	},
	"Allow": {"description": "the methods that it takes", "required": True, "schema": {"type": "string"}},
}
_UNDER_MAC = ("auth", "assert", "heartbeat", "stream")


def files() -> dict[str, bytes]:
	"""Every file of fixtures/protocol by its name there."""
	found = {"vectors.json": vectors.vectors(), "openapi.json": openapi(), "openapi-desk.json": openapi(DESK)}
	for name, schema in schemas().items():
		found[f"schemas/{name}.json"] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
	return {name: _text(document) for name, document in found.items()}


def write(folder: Path) -> list[str]:
	"""Write the files into a folder; returns the names of those that changed."""
	changed = []
	for name, content in files().items():
		path = folder / name
		path.parent.mkdir(parents=True, exist_ok=True)
		if not path.exists() or path.read_bytes() != content:
			path.write_bytes(content)
			changed.append(name)
	return changed


def schemas() -> dict[str, dict[str, Any]]:
	"""The schema of each request, reply and set of claims by name; references are inlined."""
	kinds = [kind for kinds in REQUESTS.values() for kind in kinds]
	kinds += [kind for replies in REPLIES.values() for kind in replies.values() if kind]
	return {kind.__name__: _schema(kind) for kind in (*kinds, *CLAIMS, Hello, KeySet, Error)}


def openapi(paths: Paths = EDGE) -> dict[str, Any]:
	"""The OpenAPI 3.1 document of an edge, or with the desk's paths of a desk."""
	found: dict[str, Any] = {paths.of(name): {"post": _operation(name)} for name in REQUESTS}
	found[paths.hello] = {"get": _reading("hello", _reply(Hello, "who answers"))}
	found[paths.jwks] = {"get": _reading("jwks", _reply(KeySet, "the public keys"))}
	address, _, query = paths.offer.partition("?")
	where = {"name": "hash", "in": "query"} if query else {"name": "hash", "in": "path", "required": True}
	document = {
		"description": "a token under the operator's key",
		"content": {"application/jwt": {"schema": {"type": "string"}}},
	}
	offer = _reading("offer", document) | {"parameters": [{**where, "schema": {"type": "string"}}]}
	offer["responses"]["404"] = _reply(Error, "no such document")
	found[address if query else f"{address}{{hash}}"] = {"get": offer}
	return {
		"openapi": "3.1.0",
		"info": {"title": "TV protocol", "version": "1", "description": "See docs/device-protocol.md."},
		"paths": found,
		"components": {"schemas": schemas()},
	}


def _operation(name: str) -> dict[str, Any]:
	replies = {
		str(status): _reply(kind, "answered" if status < 400 else "refused, under the TV's MAC")
		for status, kind in REPLIES[name].items()
	}
	if name in _UNDER_MAC:
		for reply in replies.values():
			reply["headers"] = {"X-TV-MAC": _HEADERS["X-TV-MAC"]}
	refused = {str(status): _reply(Error, text) for status, text in _REFUSALS.items()}
	for status in ("429", "503"):
		refused[status]["headers"] = {"Retry-After": _HEADERS["Retry-After"]}
	forms = [{"$ref": _COMPONENTS + kind.__name__} for kind in REQUESTS[name]]
	schema = forms[0] if len(forms) == 1 else {"oneOf": forms}
	return {
		"operationId": name,
		"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
		"responses": dict(sorted({**refused, **replies, "405": _other_method()}.items())),
	}


def _reading(name: str, reply: dict[str, Any]) -> dict[str, Any]:
	"""What anybody may read."""
	return {"operationId": name, "responses": {"200": reply, "405": _other_method()}}


def _other_method() -> dict[str, Any]:
	return {**_reply(Error, "another method than this one"), "headers": {"Allow": _HEADERS["Allow"]}}


def _reply(kind: type | None, description: str) -> dict[str, Any]:
	if kind is None:
		return {"description": description}
	content = {"application/json": {"schema": {"$ref": _COMPONENTS + kind.__name__}}}
	return {"description": description, "content": content}


def _schema(kind: type) -> dict[str, Any]:
	(found,), components = msgspec.json.schema_components((kind,))
	inlined = _inlined(found, components)
	# JSON Schema spells the ends of a text as ECMAScript does.
	return json.loads(json.dumps(inlined).replace(r"\\A", "^").replace(r"\\Z", "$"))


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
	if isinstance(schema, list):
		return [_inlined(part, components) for part in schema]
	if not isinstance(schema, dict):
		return schema
	if "$ref" in schema:
		return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
	return {name: _inlined(part, components) for name, part in schema.items()}


def _text(document: Any) -> bytes:
	return (json.dumps(document, indent="\t", ensure_ascii=False) + "\n").encode()
