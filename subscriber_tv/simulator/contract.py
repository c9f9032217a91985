"""The protocol as JSON Schemas and as an OpenAPI document, both made of the very types that requests are read with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from subscriber_tv.core.activation import documents, enrolment
from subscriber_tv.core.devices import requests, wire
from subscriber_tv.simulator import vectors

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


class Slot(msgspec.Struct):
	"""The stream may run until then (epoch seconds)."""

	until: int
	n: str


class StreamRefused(msgspec.Struct):
	"""The channel is not part of the offer, or too many streams run: these."""

	error: str
	error_description: str
	n: str
	running: list[str] = []


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
	413: "larger than 4096 bytes",
	415: "not application/json",
	429: "too many requests; Retry-After",
	503: "ask again later; Retry-After",
}


def files() -> dict[str, bytes]:
	"""Every file of fixtures/protocol by its name there."""
	found = {"vectors.json": vectors.vectors(), "openapi.json": openapi()}
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
	return {kind.__name__: _schema(kind) for kind in (*kinds, *CLAIMS, Hello, Error)}


def openapi() -> dict[str, Any]:
	"""The OpenAPI 3.1 document of an edge; the desk has the same operations under its own paths."""
	paths: dict[str, Any] = {f"/v1/{name}": {"post": _operation(name)} for name in REQUESTS}
	paths["/v1/hello"] = {"get": {"operationId": "hello", "responses": {"200": _reply(Hello, "who answers")}}}
	token = {"description": "a token under the operator's key", "content": {"application/jwt": {}}}
	paths["/v1/offer/{hash}"] = {
		"get": {
			"operationId": "offer",
			"parameters": [{"name": "hash", "in": "path", "required": True, "schema": {"type": "string"}}],
			"responses": {"200": token, "404": _reply(Error, "no such document")},
		}
	}
	paths["/v1/jwks"] = {
		"get": {"operationId": "jwks", "responses": {"200": {"description": "the public keys"}}}
	}
	return {
		"openapi": "3.1.0",
		"info": {"title": "TV protocol", "version": "1", "description": "See docs/device-protocol.md."},
		"paths": paths,
		"components": {"schemas": schemas()},
	}


def _operation(name: str) -> dict[str, Any]:
	replies = {
		str(status): _reply(kind, "answered" if status < 400 else "refused, under the TV's MAC")
		for status, kind in REPLIES[name].items()
	}
	refused = {str(status): _reply(Error, text) for status, text in _REFUSALS.items()}
	forms = [{"$ref": _COMPONENTS + kind.__name__} for kind in REQUESTS[name]]
	schema = forms[0] if len(forms) == 1 else {"oneOf": forms}
	return {
		"operationId": name,
		"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
		"responses": dict(sorted({**refused, **replies}.items())),
	}


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
