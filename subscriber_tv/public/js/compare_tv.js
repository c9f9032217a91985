// The TV behind a pairing code, to compare with the one in front of you: a code may be read out by a stranger.

frappe.provide("subscriber_tv.pairing");

(() => {
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	// Rejects when no TV shows this code now; the server has said why.
	subscriber_tv.pairing.find = (code) => frappe.xcall("subscriber_tv.api.activation.find_code", { code });

	// Serial, model and place always, large; what else is known below.
	subscriber_tv.pairing.card_html = (tv, code) => {
		// A small customer's only site bears his name.
		const place = [...new Set([tv.place, tv.customer])].filter(Boolean).join(" · ");
		const main = [
			[__("Serial Number"), tv.serial],
			[__("Model"), tv.model],
			[__("Place"), place || `${__("Not delivered yet")}${tv.warehouse ? ` (${tv.warehouse})` : ""}`],
		];
		const more = [
			[__("Model by Its Own Word"), tv.told_model],
			[__("Firmware"), tv.firmware],
			[__("Warehouse"), place ? tv.warehouse : ""],
			[__("Asked From"), tv.asked_from],
			[__("Code Valid Until"), frappe.datetime.str_to_user(tv.code_until)],
		].filter(([, value]) => value);
		const row = ([label, value]) => `<dt>${label}</dt><dd>${escape(value)}</dd>`;
		return `<div class="tv-pairing-card">
			<p class="tv-pairing-ask">${__("Is this the TV in front of you, and does its screen show this code?")}</p>
			<p class="tv-pairing-code">${escape(code.toUpperCase())}</p>
			<dl class="tv-pairing-main">${main.map(row).join("")}</dl>
			<dl class="tv-pairing-more">${more.map(row).join("")}</dl>
		</div>`;
	};

	subscriber_tv.pairing.unknown_html = () =>
		`<p class="text-muted">${__("No TV shows this code now. Read the code on the screen again.")}</p>`;

	// Somebody else read out this code: its TV is sent away and hears so.
	subscriber_tv.pairing.refuse = async (code, after) => {
		const serial = await frappe.xcall("subscriber_tv.api.activation.refuse_code", { code });
		frappe.show_alert({
			message: __("TV {0} is not paired: its code is void", [escape(serial)]),
			indicator: "orange",
		});
		after(serial);
	};
})();
