// A TV's side of protocol v1 (docs/device-protocol.md): its questions, and what it believes. It shows nothing by itself.

import { Keys, decode, digest, encode, isUnder, macKey, macOf, nonce, utf8 } from "./keys.js";
import { Memory } from "./memory.js";
import { afterRefusal, afterSilence, urgency } from "./patience.js";
import { NotGenuine, Trust, readJson } from "./trust.js";

const METHOD = "/api/method/subscriber_tv.api.activation.";
const EDGE = { base: "/v1/", offer: "/v1/offer/", jwks: "/v1/jwks", hello: "/v1/hello" };
const DESK = { base: METHOD, offer: `${METHOD}offer?hash=`, jwks: `${METHOD}jwks`, hello: `${METHOD}hello` };
const PARTS = { chip: "", card: "", model: "TV page", firmware: "2.0" };
// How often a TV tries to prove itself before it waits: a challenge may be late, a count too low.
const PROOFS = 3;
// A request that hangs is as good as none.
const PATIENCE_MS = 10000;
const EARLY = 300;

export class Protocol {
	// `kind` is "edge" or "desk": who served the page answers. The others are for tests.
	constructor({ serial, kind, storage, keys, clock, parts = PARTS, random = Math.random, ...told }) {
		this.serial = serial;
		this.paths = kind === "desk" ? DESK : EDGE;
		this.memory = new Memory(serial, storage, clock);
		this.keys = keys || new Keys(serial, storage.getItem(`tv-credential-${serial}`) || "");
		this.trust = new Trust(this.memory, async () => (await this.get(this.paths.jwks)).json());
		this.parts = parts;
		this.random = random;
		this.draw = told.draw || nonce;
		this.tellsTime = told.tellsTime ?? true;
	}

	now() {
		return this.memory.now();
	}

	// May I play? One tab at a time: two that counted by themselves would look like a copied TV.
	powerOn() {
		const locks = globalThis.navigator?.locks;
		return locks ? locks.request(`tv-${this.serial}`, () => this.ask()) : this.ask();
	}

	async ask() {
		const kept = this.memory.mine("rotate") ? null : await this.keys.mac();
		const { reply, challenge } = kept ? await this.askFast(kept) : {};
		const found = reply || (await this.askSlow(challenge));
		try {
			if (found.status === 200) await this.allowed(found);
			if (found.status === 403) await this.denied(found);
		} finally {
			this.memory.told = 0;
		}
		return found;
	}

	async askFast({ key, epoch }) {
		const aud = await this.audience();
		const { c, n } = this.memory.question(aud, this.draw);
		const [f, t] = [await this.f(), this.tellsTime ? String(Math.floor(this.now())) : ""];
		const m = await macOf(key, ["tv-auth-1", aud, this.serial, epoch, c, n, f, t].join("\n"));
		const reply = await this.post("auth", { d: this.serial, e: epoch, c, n, f, ...(t && { t }), m });
		this.settle(aud, n, reply);
		if (reply.status === 401) {
			// Perhaps another node stands here now.
			this.aud = "";
			return {};
		}
		if ([200, 403, 409].includes(reply.status)) await this.mustBe(reply, key, n);
		if (reply.status !== 409) return { reply };
		this.memory.countFrom(aud, reply.document.base);
		return { challenge: reply.document.challenge };
	}

	// Show what only this TV holds; the answer brings the key of the days to come.
	async askSlow(given) {
		const aud = await this.audience();
		let challenge = given || (await this.challenge());
		let reply, n;
		for (let attempt = 0; attempt < PROOFS; attempt++) {
			const l = this.memory.line(aud).join(".");
			const asked = this.memory.question(aud, this.draw, true);
			n = asked.n;
			const claims = { c: asked.c, chal: challenge, d: this.serial, f: await this.f(), n, ...(l && { l }) };
			const request = this.keys.secret
				? { ...claims, credential: this.keys.secret }
				: { a: await this.keys.sign("tv-auth+jwt", { aud, ...claims }) };
			reply = await this.post("assert", request);
			this.settle(aud, n, reply);
			if (reply.status !== 409) break;
			this.memory.countFrom(aud, reply.document.base);
			challenge = reply.document.challenge;
		}
		if (reply.status === 200 || reply.status === 403) {
			const { key, epoch } = reply.document;
			await this.mustBe(reply, await macKey(String(key)), n);
			await this.keys.keepMac(key, epoch);
			this.memory.keep("rotate", null);
		}
		return reply;
	}

	// A refusal at the door says nothing of the count: the question stays open.
	settle(aud, n, { status, document }) {
		if (status === 429 || status === 503) return;
		this.memory.settle(aud, n, [200, 204, 403].includes(status) || "running" in document);
	}

	async mustBe(reply, key, n) {
		if (reply.document.n !== n || !(await isUnder(key, reply.mac, reply.body))) throw new NotGenuine();
		this.memory.told = Number(reply.document.time) || 0;
	}

	async allowed({ document: answer }) {
		const lease = await this.genuine("tv-lease+jwt", answer.lease);
		await this.mustBeOurs(lease);
		const { iat, exp } = lease;
		const isNow = iat - EARLY <= answer.time && answer.time < exp;
		if (!isNow || !(answer.play_until <= exp)) throw new NotGenuine();
		this.obeyed(answer.time, answer);
		if (answer.hints?.includes("rotate")) this.memory.keep("rotate", true);
	}

	// What a node finds by itself is not signed ahead; its MAC vouches for it.
	async denied(reply) {
		const { denial, code, time } = reply.document;
		if (denial) reply.claims = await this.genuine("tv-deny+jwt", denial);
		else if (code === "binding_mismatch") reply.claims = reply.document;
		else throw new NotGenuine();
		this.obeyed(time, null);
	}

	obeyed(time, answer) {
		this.memory.heard(time);
		this.memory.keep("answer", answer);
		this.memory.keep("retry", null);
	}

	// The last answer that allowed playing, while it still does: what to live on when nobody answers.
	async lastAnswer() {
		const answer = this.memory.mine("answer");
		if (!answer || !(answer.play_until > this.now())) return null;
		await this.mustBeOurs(readJson(await this.trust.verify("tv-lease+jwt", answer.lease)));
		return answer;
	}

	// A lease is worth nothing to another TV, nor to one whose parts are not those it was paired with.
	async mustBeOurs({ sub, aud, cnf, bind }) {
		const isOurs = sub === this.serial && aud === "tv" && cnf?.jkt === (await this.keys.thumbprint());
		if (!isOurs || (bind && bind !== (await this.f()))) throw new NotGenuine();
	}

	// Nobody answered, or "not now": until when (epoch seconds) this TV leaves them in peace, over a power cut too.
	putOff(reply) {
		const { tries = 0 } = this.memory.mine("retry") || {};
		const { "retry_ms": retryMs, slot } = reply?.document || {};
		const isRefusal = reply && (reply.status === 429 || reply.status === 503);
		const seconds = isRefusal
			? afterRefusal({ retryAfter: reply.retryAfter, retryMs, tries }, this.random())
			: afterSilence(tries, this.random());
		const until = this.now() + seconds;
		this.memory.keep("retry", { tries: tries + 1, until, slot: typeof slot === "string" ? slot : "" });
		return until;
	}

	// Until when it was put off before; 0 when it was not.
	putOffUntil() {
		return this.memory.mine("retry")?.until || 0;
	}

	// Pairing: show that it holds its key, get a code; of a secret only the hash travels.
	async enrol() {
		const { model, firmware } = this.parts;
		const said = { f: await this.f(), firmware, model, serial: this.serial };
		if (this.keys.secret) return this.post("enrol", { ...said, key: await this.keys.thumbprint() });
		const { x, y } = await this.keys.own();
		const claims = { aud: "desk", chal: await this.challenge("desk"), ...said, x, y };
		return this.post("enrol", { a: await this.keys.sign("tv-enrol+jwt", claims) });
	}

	// Was the code entered? Then the TV has its key, and whoever it is paired with is whom it trusts from here on.
	async poll(device_code) {
		const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
		const proof = this.keys.secret
			? { credential: this.keys.secret }
			: { a: await this.keys.sign("tv-token+jwt", { aud: "desk", device_code }) };
		const reply = await this.post("token", { grant_type, device_code, ...proof });
		if (reply.status === 200) {
			await this.keys.keepMac(reply.document.key, reply.document.epoch);
			this.forgetOperator();
		}
		return reply;
	}

	forgetOperator() {
		this.memory.forgetOperator();
		this.trust.known = null;
	}

	// How it is: no answer is none, and a refusal waits for the next question.
	heartbeat(told) {
		const lines = Object.entries(told).map(([name, value]) => `${name}=${value}`);
		return this.counted("heartbeat", "tv-hb-1", () => [told, lines.sort()]);
	}

	// Start, renew or stop a stream; the verifier of a PIN opens a channel that is locked for the young.
	stream(o, ch, sid, verifier = null) {
		return this.counted("stream", "tv-stream-1", async (aud, c, n) => {
			const lines = ["tv-pin-1", aud, this.serial, c, n];
			const said = { o, ch, sid, ...(verifier && { pin: await macOf(verifier, lines.join("\n")) }) };
			return [said, Object.values(said)];
		});
	}

	// A question beside the daily one: it spends a number of its own and is answered under the MAC.
	async counted(operation, kind, say) {
		const kept = await this.keys.mac();
		if (!kept) return null;
		const { key, epoch } = kept;
		const aud = await this.audience();
		const ask = async () => {
			const { c, n } = this.memory.question(aud, this.draw);
			const [said, signed] = await say(aud, c, n);
			const m = await macOf(key, [kind, aud, this.serial, epoch, c, n, ...signed].join("\n"));
			const reply = await this.post(operation, { d: this.serial, e: epoch, c, n, m, ...said });
			this.settle(aud, n, reply);
			return { ...reply, isAuthentic: await isUnder(key, reply.mac, reply.body) };
		};
		const locks = globalThis.navigator?.locks;
		return locks ? locks.request(`tv-${this.serial}`, ask) : ask();
	}

	async challenge(aud) {
		const reply = await this.post("challenge", { d: this.serial, ...(aud && { aud }) });
		if (reply.status !== 200) throw new Refused(reply);
		return reply.document.challenge;
	}

	// The name of the node that answers; a question for one is worth nothing at another.
	async audience() {
		this.aud ||= (await (await this.get(this.paths.hello)).json()).aud;
		return this.aud;
	}

	async f() {
		const { chip, card, model, firmware } = this.parts;
		return encode(await digest(utf8([chip, card, model, firmware].join("\n"))));
	}

	// The bouquets behind a hash; kept for ever, because another content has another hash.
	async offer(hash) {
		const name = `offer-${hash}`;
		const kept = this.memory.read(name);
		const known = kept && (await this.trust.verify("tv-offer+jwt", kept).catch(() => null));
		const token = known ? kept : await (await this.get(this.paths.offer + hash)).text();
		const claims = known || (await this.trust.verify("tv-offer+jwt", token));
		if (encode(await digest(claims)) !== hash) throw new NotGenuine();
		this.memory.write(name, token);
		return readJson(claims);
	}

	async genuine(typ, token) {
		const claims = readJson(await this.trust.verify(typ, token));
		// An operator with a new key counts its versions anew.
		const { kid } = readJson(decode(token.split(".")[0]));
		const name = `version-${this.serial}-${kid}`;
		const known = Number(this.memory.read(name) || 0);
		if (claims.sub !== this.serial || claims.aud !== "tv" || !(claims.ver >= known)) throw new NotGenuine();
		this.memory.write(name, claims.ver);
		return claims;
	}

	async post(operation, document) {
		const headers = { "Content-Type": "application/json" };
		const priority = urgency(this.memory.mine("answer")?.play_until, this.now());
		const { slot } = this.memory.mine("retry") || {};
		if (priority) headers["Priority"] = priority;
		if (slot) {
			headers["X-TV-Slot"] = slot;
			// A ticket is good once.
			this.memory.keep("retry", { ...this.memory.mine("retry"), slot: "" });
		}
		const response = await fetch(this.paths.base + operation, {
			method: "POST",
			headers,
			body: JSON.stringify(document),
			credentials: "omit",
			signal: AbortSignal.timeout(PATIENCE_MS),
		});
		const body = new Uint8Array(await response.arrayBuffer());
		return answerOf(response, body);
	}

	async get(path) {
		const response = await fetch(path, { credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
		if (!response.ok) throw new Refused(answerOf(response, new Uint8Array(await response.arrayBuffer())));
		return response;
	}
}

// A refusal on the way to a question: it says when to come back.
export class Refused extends Error {
	constructor(reply) {
		super(`HTTP ${reply.status}`);
		this.reply = reply;
	}
}

function answerOf({ status, headers }, body) {
	const retryAfter = Number(headers.get("Retry-After"));
	return { status, document: objectIn(body), body, mac: headers.get("X-TV-MAC"), retryAfter };
}

// No JSON object is no answer; the status says the rest.
function objectIn(body) {
	try {
		const found = readJson(body);
		return found && typeof found === "object" ? found : {};
	} catch {
		return {};
	}
}
