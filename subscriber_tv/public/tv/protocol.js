// A TV's side of protocol v1 (docs/device-protocol.md): its questions, and what it believes. It shows nothing by itself.

import { Keys, decode, digest, encode, isUnder, macKey, macOf, nonce, utf8 } from "./keys.js";

const METHOD = "/api/method/subscriber_tv.api.activation.";
const EDGE = { base: "/v1/", offer: "/v1/offer/", jwks: "/v1/jwks", hello: "/v1/hello" };
const DESK = { base: METHOD, offer: `${METHOD}offer?hash=`, jwks: `${METHOD}jwks`, hello: `${METHOD}hello` };
const MAX_TOKEN = 262144;
const MODEL = "TV page";
const FIRMWARE = "1.0";
// How many of its last questions at a node a TV tells by their nonces when it proves itself.
const TOLD = 4;
// How often a TV tries to prove itself before it waits: a challenge may be late, a count too low.
const PROOFS = 3;

export class NotGenuine extends Error {}

const readJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

export class Protocol {
	// `api` is the origin that answers ("" for the one this page came from), `kind` is "edge" or "desk".
	constructor({ serial, api, kind, storage }) {
		this.serial = serial;
		this.api = api;
		this.paths = kind === "desk" ? DESK : EDGE;
		this.storage = storage;
		this.keys = new Keys(serial, storage.getItem(`tv-credential-${serial}`) || "");
		this.operator = null;
	}

	// May I play? One tab at a time: two that counted by themselves would look like a copied TV.
	powerOn() {
		return navigator.locks.request(`tv-${this.serial}`, () => this.ask());
	}

	async ask() {
		const kept = await this.keys.mac();
		const { reply, challenge } = kept ? await this.askFast(kept) : {};
		const found = reply || (await this.askSlow(challenge));
		if (found.status === 200) await this.allowed(found);
		if (found.status === 403) await this.denied(found);
		return found;
	}

	async askFast({ key, epoch }) {
		const aud = await this.audience();
		const [{ c, n }, f] = [this.count(aud), await this.parts()];
		const signed = ["tv-auth-1", aud, this.serial, epoch, c, n, f, ""].join("\n");
		const reply = await this.post("auth", { d: this.serial, e: epoch, c, n, f, m: await macOf(key, signed) });
		this.settle(aud, n, reply);
		if (reply.status === 401) return {};
		if ([200, 403, 409].includes(reply.status)) await this.mustBe(reply, key, n);
		if (reply.status !== 409) return { reply };
		this.countFrom(aud, reply);
		return { challenge: reply.document.challenge };
	}

	// Show what only this TV holds; the answer brings the key of the days to come.
	async askSlow(given) {
		const aud = await this.audience();
		let challenge = given || (await this.challenge());
		let reply, n;
		for (let attempt = 0; attempt < PROOFS; attempt++) {
			const line = this.line(aud).join(".");
			const next = this.count(aud);
			n = next.n;
			const said = { chal: challenge, d: this.serial, f: await this.parts(), ...next };
			const claims = line ? { ...said, l: line } : said;
			const request = this.keys.secret
				? { ...claims, credential: this.keys.secret }
				: { a: await this.keys.sign("tv-auth+jwt", { aud, ...claims }) };
			reply = await this.post("assert", request);
			this.settle(aud, n, reply);
			if (reply.status !== 409) break;
			this.countFrom(aud, reply);
			challenge = reply.document.challenge;
		}
		if (reply.status === 200 || reply.status === 403) {
			const { key, epoch } = reply.document;
			await this.mustBe(reply, await macKey(String(key)), n);
			await this.keys.keepMac(key, epoch);
		}
		return reply;
	}

	async mustBe(reply, key, n) {
		if (reply.document.n !== n || !(await isUnder(key, reply.mac, reply.body))) throw new NotGenuine();
	}

	async allowed(reply) {
		reply.claims = await this.genuine("tv-lease+jwt", reply.document.lease);
		await this.mustBeOurs(reply.claims);
		if (!(reply.document.time < reply.claims.exp && reply.document.play_until <= reply.claims.exp)) {
			throw new NotGenuine();
		}
		this.keep(reply.document);
	}

	// What a node finds by itself is not signed ahead; its MAC vouches for it.
	async denied(reply) {
		const { denial, code } = reply.document;
		if (denial) reply.claims = await this.genuine("tv-deny+jwt", denial);
		else if (code === "binding_mismatch") reply.claims = reply.document;
		else throw new NotGenuine();
		this.keep(null);
	}

	// The last answer that allowed playing, while it still does: what to live on when nobody answers.
	async lastAnswer(now) {
		const answer = JSON.parse(this.storage.getItem(`tv-answer-${this.serial}`) || "null");
		if (!answer || answer.play_until <= now) return null;
		await this.mustBeOurs(readJson(await this.verify("tv-lease+jwt", answer.lease)));
		return answer;
	}

	// A lease is worth nothing to another TV, nor to one whose parts are not those it was paired with.
	async mustBeOurs({ sub, cnf, bind }) {
		const ours = sub === this.serial && cnf?.jkt === (await this.keys.thumbprint());
		if (!ours || (bind && bind !== (await this.parts()))) throw new NotGenuine();
	}

	keep(answer) {
		this.storage.setItem(`tv-answer-${this.serial}`, JSON.stringify(answer));
	}

	// Pairing: show that it holds its key, get a code; of a secret only the hash travels.
	async enrol() {
		const said = { f: await this.parts(), firmware: FIRMWARE, model: MODEL, serial: this.serial };
		if (this.keys.secret) return this.post("enrol", { ...said, key: await this.keys.thumbprint() });
		const { x, y } = await this.keys.own();
		const claims = { aud: "desk", chal: await this.challenge("desk"), ...said, x, y };
		return this.post("enrol", { a: await this.keys.sign("tv-enrol+jwt", claims) });
	}

	// Was the code entered? Then the TV has its key.
	async poll(device_code) {
		const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
		const proof = this.keys.secret
			? { credential: this.keys.secret }
			: { a: await this.keys.sign("tv-token+jwt", { aud: "desk", device_code }) };
		const reply = await this.post("token", { grant_type, device_code, ...proof });
		if (reply.status === 200) await this.keys.keepMac(reply.document.key, reply.document.epoch);
		return reply;
	}

	async challenge(aud) {
		const { status, document } = await this.post("challenge", { d: this.serial, ...(aud && { aud }) });
		if (status !== 200) throw new Error(`HTTP ${status}`);
		return document.challenge;
	}

	// The name of the node that answers; a question for one is worth nothing at another.
	async audience() {
		this.aud ||= (await (await this.get(this.paths.hello)).json()).aud;
		return this.aud;
	}

	// The next number at a node, with its nonce; kept before they are used.
	count(aud) {
		const name = `tv-count-${this.serial}-${aud}`;
		const [c, n] = [String(Number(this.storage.getItem(name) || 0) + 1), nonce()];
		this.storage.setItem(name, c);
		const line = [n, ...this.line(aud)];
		// However often it asks in vain, the last answered question stays known.
		this.keepLine(aud, line.length > TOLD ? [...line.slice(0, TOLD - 1), line.at(-1)] : line);
		return { c, n };
	}

	// At a node the nonces of the last answered question and of those since, newest first.
	line(aud) {
		return JSON.parse(this.storage.getItem(`tv-line-${this.serial}-${aud}`) || "[]");
	}

	keepLine(aud, line) {
		this.storage.setItem(`tv-line-${this.serial}-${aud}`, JSON.stringify(line));
	}

	// An answer came: the node counted that question, or it did not.
	settle(aud, n, { status }) {
		const counted = status === 200 || status === 403;
		this.keepLine(aud, counted ? [n] : this.line(aud).filter((known) => known !== n));
	}

	countFrom(aud, { document }) {
		const name = `tv-count-${this.serial}-${aud}`;
		const base = /^\d{1,15}$/.test(document.base) ? Number(document.base) : 0;
		this.storage.setItem(name, String(Math.max(base, Number(this.storage.getItem(name) || 0))));
	}

	async parts() {
		this.f ||= encode(await digest(utf8(["", "", MODEL, FIRMWARE].join("\n"))));
		return this.f;
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

	async genuine(typ, token) {
		const claims = readJson(await this.verify(typ, token));
		// An operator with a new key counts its versions anew.
		const { kid } = readJson(decode(token.split(".")[0]));
		const name = `tv-version-${this.serial}-${kid}`;
		const known = Number(this.storage.getItem(name) || 0);
		if (claims.sub !== this.serial || claims.aud !== "tv" || claims.ver < known) throw new NotGenuine();
		this.storage.setItem(name, String(claims.ver));
		return claims;
	}

	// One algorithm, one header per type and key, compared as text: the token cannot choose anything.
	async verify(typ, token) {
		const [header, claims, signature, ...rest] = String(token || "").split(".");
		if (rest.length || !signature || token.length > MAX_TOKEN) throw new NotGenuine();
		for (const { kid, key } of await this.publicKeys()) {
			const expected = JSON.stringify({ alg: "ES256", typ, kid });
			if (header !== encode(utf8(expected))) continue;
			const algorithm = { name: "ECDSA", hash: "SHA-256" };
			const signed = utf8(`${header}.${claims}`);
			if (await crypto.subtle.verify(algorithm, key, decode(signature), signed)) return decode(claims);
		}
		throw new NotGenuine();
	}

	async publicKeys() {
		if (!this.operator) {
			const { keys } = await this.keySet();
			const algorithm = { name: "ECDSA", namedCurve: "P-256" };
			const imported = keys.map(async ({ kid, kty, crv, x, y }) => ({
				kid,
				key: await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]),
			}));
			this.operator = await Promise.all(imported);
		}
		return this.operator;
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

	async post(operation, document) {
		const response = await fetch(this.api + this.paths.base + operation, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(document),
			credentials: "omit",
			signal: AbortSignal.timeout(10000),
		});
		const body = new Uint8Array(await response.arrayBuffer());
		let said = {};
		try {
			said = readJson(body);
		} catch {
			// No JSON is no answer; the status says the rest.
		}
		return { status: response.status, document: said, body, mac: response.headers.get("X-TV-MAC") };
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
