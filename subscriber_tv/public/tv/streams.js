// The slot of a stream: started when a channel is watched, renewed while it is, given back when it is not. Without an answer
// the picture stays: only what stands under the TV's MAC says that a stream may not run.

const SETTLE_MS = 1500;
const RENEW_MS = 30000;

export class Streams {
	// `blocked(reason)` is told "too_many", "not_entitled", or null when the stream runs.
	constructor(tv, blocked) {
		this.tv = tv;
		this.blocked = blocked;
		this.name = tv.memory.mine("stream") || newName();
		tv.memory.keep("stream", this.name);
		this.channel = "";
		this.timer = 0;
	}

	// Who zaps asks for nothing until the channel stays.
	watch(channel) {
		this.channel = channel.code;
		this.again(SETTLE_MS, "start");
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
		const channel = this.channel;
		const reply = await this.tv.stream(operation, channel, this.name).catch(() => null);
		if (this.channel !== channel || !channel) return;
		const reason = reasonIn(reply);
		if (reason !== undefined) this.blocked(reason);
		this.again(RENEW_MS, reason ? "start" : "renew");
	}
}

function reasonIn(reply) {
	if (!reply?.isAuthentic) return undefined;
	if (reply.status === 200) return null;
	return { stream_limit: "too_many", not_entitled: "not_entitled" }[reply.document.error];
}

function newName() {
	return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
