// A TV's side of the wire: its secret, its questions, and what it believes. It shows nothing by itself.

const METHOD = "/api/method/subscriber_tv.api.activation.";
const EDGE = { powerOn: "/v1/power-on", enrol: "/v1/enrol", offer: "/v1/offer/", jwks: "/v1/jwks" };
const DESK = {
	powerOn: `${METHOD}power_on`,
	enrol: `${METHOD}enrol`,
	offer: `${METHOD}offer?hash=`,
	jwks: `${METHOD}jwks`,
};
const MAX_TOKEN = 262144;

export class NotGenuine extends Error {}

export function encode(bytes) {
	const text = btoa(String.fromCharCode(...bytes));
	return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(text) {
	const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
	return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

const readJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

export class Protocol {
	// `api` is the origin that answers ("" for the one this page came from), `kind` is "edge" or "desk".
	constructor({ serial, api, kind, storage }) {
		this.serial = serial;
		this.api = api;
		this.paths = kind === "desk" ? DESK : EDGE;
		this.storage = storage;
		this.keys = null;
	}

	// The TV's own secret: made here once, kept here, shown only to whoever answers this TV.
	credential() {
		const name = `tv-credential-${this.serial}`;
		let secret = this.storage.getItem(name);
		if (!secret) {
			secret = encode(crypto.getRandomValues(new Uint8Array(32)));
			this.storage.setItem(name, secret);
		}
		return secret;
	}

	async powerOn() {
		const n = encode(crypto.getRandomValues(new Uint8Array(12)));
		const reply = await this.post(this.paths.powerOn, {
			serial: this.serial,
			credential: this.credential(),
			n,
		});
		if (reply.status === 200) {
			reply.claims = await this.genuine("tv-lease+jwt", reply.document.lease, reply.document, n);
			if (!(reply.document.time < reply.claims.exp && reply.document.play_until <= reply.claims.exp)) {
				throw new NotGenuine();
			}
			this.keep(reply.document);
		}
		if (reply.status === 401 || reply.status === 403) this.keep(null);
		if (reply.status === 403 && reply.document.decision === "deny") {
			reply.claims = await this.genuine("tv-deny+jwt", reply.document.denial, reply.document, n);
		}
		return reply;
	}

	// The last answer that allowed playing, while it still does: what to live on when nobody answers.
	async lastAnswer(now) {
		const answer = JSON.parse(this.storage.getItem(`tv-answer-${this.serial}`) || "null");
		if (!answer || answer.play_until <= now) return null;
		await this.verify("tv-lease+jwt", answer.lease);
		return answer;
	}

	keep(answer) {
		this.storage.setItem(`tv-answer-${this.serial}`, JSON.stringify(answer));
	}

	// Only the hash of the secret travels: whoever reads this question learns nothing.
	async enrol() {
		const key = encode(await digest(decode(this.credential())));
		return this.post(this.paths.enrol, { serial: this.serial, key });
	}

	// The bouquets behind a hash; kept for ever, because another content has another hash.
	async offer(hash) {
		const name = `tv-offer-${hash}`;
		const token = this.storage.getItem(name) || (await (await this.get(this.paths.offer + hash)).text());
		const claims = await this.verify("tv-offer+jwt", token);
		if (encode(await digest(claims)) !== hash) throw new NotGenuine();
		this.storage.setItem(name, token);
		return readJson(claims);
	}

	async genuine(typ, token, answer, nonce) {
		const claims = readJson(await this.verify(typ, token));
		// An operator with a new key counts its versions anew.
		const { kid } = readJson(decode(token.split(".")[0]));
		const name = `tv-version-${this.serial}-${kid}`;
		const known = Number(this.storage.getItem(name) || 0);
		if (claims.sub !== this.serial || claims.aud !== "tv" || answer.n !== nonce || claims.ver < known) {
			throw new NotGenuine();
		}
		this.storage.setItem(name, String(claims.ver));
		return claims;
	}

	// One algorithm, one header per type and key, compared as text: the token cannot choose anything.
	async verify(typ, token) {
		const [header, claims, signature, ...rest] = String(token || "").split(".");
		if (rest.length || !signature || token.length > MAX_TOKEN) throw new NotGenuine();
		for (const { kid, key } of await this.publicKeys()) {
			const expected = JSON.stringify({ alg: "ES256", typ, kid });
			if (header !== encode(new TextEncoder().encode(expected))) continue;
			const signed = new TextEncoder().encode(`${header}.${claims}`);
			const algorithm = { name: "ECDSA", hash: "SHA-256" };
			if (await crypto.subtle.verify(algorithm, key, decode(signature), signed)) return decode(claims);
		}
		throw new NotGenuine();
	}

	async publicKeys() {
		if (!this.keys) {
			const { keys } = await this.keySet();
			const algorithm = { name: "ECDSA", namedCurve: "P-256" };
			const imported = keys.map(async ({ kid, kty, crv, x, y }) => ({
				kid,
				key: await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]),
			}));
			this.keys = await Promise.all(imported);
		}
		return this.keys;
	}

	async keySet() {
		try {
			const set = await (await this.get(this.paths.jwks)).json();
			this.storage.setItem("tv-keys", JSON.stringify(set));
			return set;
		} catch (error) {
			const kept = this.storage.getItem("tv-keys");
			if (!kept) throw error;
			return JSON.parse(kept);
		}
	}

	async post(path, document) {
		const response = await fetch(this.api + path, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(document),
			credentials: "omit",
			signal: AbortSignal.timeout(10000),
		});
		return { status: response.status, document: await response.json().catch(() => ({})) };
	}

	async get(path) {
		const response = await fetch(this.api + path, {
			credentials: "omit",
			signal: AbortSignal.timeout(10000),
		});
		if (!response.ok) throw new Error(`HTTP ${response.status}`);
		return response;
	}
}
