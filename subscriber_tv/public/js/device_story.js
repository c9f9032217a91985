// What stands on a TV's page beside its fields: how it is now, the signs of copies, and everything that happened.

frappe.provide("subscriber_tv");

(() => {
	const FLEET = "subscriber_tv.api.fleet";
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	subscriber_tv.show_device_now = async (frm) => {
		const now = await frappe.xcall(`${FLEET}.device_now`, { device: frm.doc.name });
		const field = frm.get_field("now_html");
		field.$wrapper.html(`${status_html(now.status)}${signs_html(now)}`);
		field.$wrapper.find("[data-clear]").on("click", () => clear(frm));
	};

	subscriber_tv.show_device_story = async (frm) => {
		const wrapper = frm.get_field("story_html").$wrapper;
		wrapper.html(`<table class="table table-sm tv-story"><tbody></tbody></table>
			<button class="btn btn-default btn-xs hidden" data-more>${__("Show older")}</button>`);
		const more = wrapper.find("[data-more]");
		let before = null;
		const load = async () => {
			const story = await frappe.xcall(`${FLEET}.device_story`, { device: frm.doc.name, before });
			wrapper.find("tbody").append(story.items.map(item_html).join(""));
			if (!story.items.length && !before) wrapper.html(`<p class="text-muted">${__("Nothing has happened yet.")}</p>`);
			before = story.items.length ? story.items[story.items.length - 1].at : before;
			more.toggleClass("hidden", !story.more);
		};
		more.on("click", load);
		await load();
	};

	function status_html(status) {
		if (!status.last_heard) return `<p class="text-muted">${__("This TV has not been heard yet.")}</p>`;
		const parts = [
			[__("Last Heard"), frappe.datetime.prettyDate(status.last_heard)],
			[__("Firmware"), status.firmware],
			[__("Channel"), status.channel],
			[__("Temperature"), status.temperature ? `${status.temperature} °C` : ""],
			[__("Signal Strength"), status.signal_strength ? `${status.signal_strength} dBm` : ""],
			[__("Network"), status.network],
		].filter(([, value]) => value);
		const color = status.online ? "green" : "gray";
		return `<p><span class="indicator-pill ${color}">${status.online ? __("Online") : __("Offline")}</span>
			${parts.map(([label, value]) => `<span class="text-muted">${label}:</span> ${escape(value)}`).join(" · ")}</p>`;
	}

	function signs_html({ signs, may_clear }) {
		if (!signs.length) return "";
		const rows = signs.map(
			(sign) => `<tr><td>${frappe.datetime.str_to_user(sign.last_noted)}</td><td>${escape(sign.label)}</td>
				<td>${escape(sign.network)}</td><td>${escape(sign.audience)}</td><td class="text-right">${sign.count}</td></tr>`
		);
		const labels = [__("Last"), __("Sign"), __("Network"), __("Answered by"), __("Times")];
		return `<table class="table table-sm"><thead><tr>${labels
			.map((label) => `<th>${label}</th>`)
			.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>${
			may_clear ? `<button class="btn btn-default btn-sm" data-clear>${__("Clear Signs…")}</button>` : ""
		}`;
	}

	function item_html(item) {
		const link = item.doctype
			? `<a href="/app/${frappe.router.slug(item.doctype)}/${encodeURIComponent(item.name)}">${escape(
					item.doctype === "TV Activation" || item.doctype === "TV Device Evidence" ? __("Open") : item.name
			  )}</a>`
			: "";
		return `<tr><td class="text-nowrap">${frappe.datetime.str_to_user(item.at)}</td>
			<td class="tv-story-${item.kind}">${escape(item.title)}</td><td>${escape(item.text)}</td>
			<td>${escape(item.who)}</td><td>${link}</td></tr>`;
	}

	function clear(frm) {
		frappe.prompt(
			{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
			async ({ reason }) => {
				const signs = await frappe.xcall(`${FLEET}.clear_evidence`, { device: frm.doc.name, reason });
				frappe.show_alert({ message: __("{0} signs are void. The TV has its rights again.", [signs]), indicator: "green" });
				frm.reload_doc();
			},
			__("Void the signs against TV {0}", [frm.doc.name]),
			__("Clear")
		);
	}
})();
