// Whose signature a TV believes. What is signed for TVs bears one of the operator's keys, and these the signature of his
// root, where he has one. Firmware has the root built in. A page learns it when it is paired, and holds on to it.

import { decode, encode, utf8 } from "./keys.js";

const MAX_TOKEN = 262144;
const MAX_KEYS_TOKEN = 16384;
const EARLY = 300;
const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNED = { name: "ECDSA", hash: "SHA-256" };

export class NotGenuine extends Error {}

export const readJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

export class Trust {
	// `fetchKeys` gives the key set that the operator publishes.
	constructor(memory, fetchKeys) {
		this.memory = memory;
		this.fetchKeys = fetchKeys;
		this.known = null;
	}

	// The bytes of the claims. One algorithm, one header per type and key, compared as text: a token chooses nothing.
	async verify(typ, token) {
		const keys = await this.keys();
		const claims = await open(typ, token, keys);
		if (claims) return claims;
		// Perhaps the operator has a new key; only his root, or a new pairing, brings it in.
		const fresh = await this.freshKeys();
		const found = fresh && (await open(typ, token, fresh));
		if (!found) throw new NotGenuine();
		return found;
	}

	async keys() {
		const pinned = this.memory.mine("trust");
		if (!this.known && pinned) this.known = await this.trusted(pinned.set, pinned.root).catch(() => null);
		return this.known || (await this.freshKeys()) || [];
	}

	// The set as it is published now, if what is pinned allows it; null otherwise. The first one is pinned.
	async freshKeys() {
		const set = await this.fetchKeys();
		const pinned = this.memory.mine("trust");
		const root = pinned ? pinned.root : rootOf(set);
		try {
			if (pinned && !root && !sameKeys(set, pinned.set)) throw new NotGenuine();
			const keys = await this.trusted(set, root);
			this.memory.keep("trust", { root, set });
			this.known = keys;
			return keys;
		} catch (error) {
			if (error instanceof NotGenuine) return null;
			throw error;
		}
	}

	// With a root nothing counts but what it signed, while it is good; without one the set as it stands.
	async trusted(set, root) {
		if (!root) return imported(set.keys);
		if (String(set.signed || "").length > MAX_KEYS_TOKEN) throw new NotGenuine();
		const claims = await open("tv-jwks+jwt", set.signed, await imported([root]));
		if (!claims) throw new NotGenuine();
		const { iat, exp, keys } = readJson(claims);
		const now = this.memory.now();
		if (!(iat <= now + EARLY && now < exp)) throw new NotGenuine();
		return imported(keys);
	}
}

async function open(typ, token, keys) {
	const [header, claims, signature, ...rest] = String(token || "").split(".");
	if (rest.length || !signature || token.length > MAX_TOKEN) return null;
	for (const { kid, key } of keys) {
		if (header !== encode(utf8(JSON.stringify({ alg: "ES256", typ, kid })))) continue;
		const [signed, bytes] = [utf8(`${header}.${claims}`), canonical(signature)];
		if (bytes?.length === 64 && (await crypto.subtle.verify(SIGNED, key, bytes, signed))) return decode(claims);
	}
	return null;
}

// The bytes of a text in its one spelling, or null.
function canonical(text) {
	try {
		const bytes = decode(text);
		return encode(bytes) === text ? bytes : null;
	} catch {
		return null;
	}
}

function imported(keys) {
	const one = async ({ kid, kty, crv, x, y }) => ({
		kid,
		key: await crypto.subtle.importKey("jwk", { kty, crv, x, y }, KEY, false, ["verify"]),
	});
	return Promise.all((keys || []).map(one));
}

function rootOf(set) {
	if (!set.signed || !set.root) return null;
	const { kid, kty, crv, x, y } = set.root;
	return { kid, kty, crv, x, y };
}

function sameKeys(one, other) {
	const points = (set) => JSON.stringify((set.keys || []).map(({ kid, x, y }) => [kid, x, y]).sort());
	return points(one) === points(other);
}
