// The slot of a stream: started when a channel is watched, renewed while it is, given back when it is not. Without an answer
// the picture stays: only what stands under the TV's MAC says that a stream may not run.

import { pinVerifier } from "./keys.js";

const SETTLE_MS = 1500;
const RENEW_MS = 30000;

export class Streams {
	// `blocked(reason, isWrong)` is told why the stream may not run, or null when it runs, and whether a PIN was wrong.
	constructor(tv, blocked) {
		this.tv = tv;
		this.blocked = blocked;
		this.name = tv.memory.mine("stream") || newName();
		tv.memory.keep("stream", this.name);
		this.channel = "";
		this.timer = 0;
		this.verifier = null;
	}

	// Who zaps asks for nothing until the channel stays.
	watch(channel) {
		this.channel = channel.code;
		this.verifier = null;
		this.again(SETTLE_MS, "start");
	}

	async unlock(pin) {
		const channel = this.channel;
		const verifier = await pinVerifier(this.tv.serial, pin);
		if (this.channel !== channel) return;
		this.verifier = verifier;
		this.again(0, "start");
	}

	stop() {
		const channel = this.channel;
		this.channel = "";
		clearTimeout(this.timer);
		if (channel) this.tv.stream("stop", channel, this.name).catch(() => null);
	}

	again(milliseconds, operation) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.ask(operation), milliseconds);
	}

	async ask(operation) {
		const { channel, verifier } = this;
		const reply = await this.tv.stream(operation, channel, this.name, verifier).catch(() => null);
		if (!channel || this.channel !== channel || this.verifier !== verifier) return;
		const reason = reasonIn(reply);
		if (reason !== undefined) this.blocked(reason, Boolean(reason && verifier));
		if (reason) this.verifier = null;
		// What is locked waits for a PIN, not for another try.
		if (!reason?.startsWith("locked")) this.again(RENEW_MS, reason ? "start" : "renew");
	}
}

function reasonIn(reply) {
	if (!reply?.isAuthentic) return undefined;
	if (reply.status === 200) return null;
	const { error, pin } = reply.document;
	if (error === "parental_locked") return pin === true ? "locked_pin" : "locked";
	return { stream_limit: "too_many", not_entitled: "not_entitled" }[error];
}

function newName() {
	return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
