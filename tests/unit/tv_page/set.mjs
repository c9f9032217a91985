// A TV of which everything is known: its keys, its store, the clock, and a network that a test writes.

import { encode, macKey } from "./tv/keys.js";
import { Protocol } from "./tv/protocol.js";

export class Store {
	#kept = new Map();

	getItem(name) {
		return this.#kept.get(name) ?? null;
	}

	setItem(name, value) {
		this.#kept.set(name, String(value));
	}

	removeItem(name) {
		this.#kept.delete(name);
	}
}

// As IndexedDB, without one.
export class Drawer {
	kept = new Map();

	async get(name) {
		return this.kept.get(name);
	}

	async put(name, value) {
		this.kept.set(name, value);
	}
}

// The network: `answers` maps the end of an address to a function (body, headers) -> [status, body, headers] or throws.
export function network(answers) {
	const asked = [];
	globalThis.fetch = async (path, options = {}) => {
		const operation = path.split("/").pop();
		asked.push({ path, body: options.body, headers: options.headers || {} });
		const given = answers[operation];
		if (!given) throw new TypeError(`nobody answers ${operation}`);
		const [status, body, headers] = await given(options.body && JSON.parse(options.body), options.headers || {});
		return new Response(status === 204 ? null : body, { status, headers });
	};
	return asked;
}

export function privateKey(number, { x, y }) {
	const bytes = new Uint8Array(32);
	bytes[31] = number;
	const jwk = { kty: "EC", crv: "P-256", x, y, d: encode(bytes) };
	return crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
}

export async function importedMac(text, epoch) {
	return { key: await macKey(text), epoch };
}

export function tv({ serial, keys, storage = new Store(), clock = () => 1_800_000_000, ...told }) {
	return new Protocol({ serial, kind: "edge", storage, keys, clock, random: () => 0.5, ...told });
}
