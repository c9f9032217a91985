// Where the QR code of a TV leads: compare what it says of itself with the TV before you, choose its place, bind it.
// Made for a telephone first: whoever scans stands before the screen.

(() => {
	const BINDABLE = ["Awaiting Activation", "Active", "Suspended", "Cancelling"];
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	frappe.pages["tv-pairing"].on_page_load = (wrapper) => {
		wrapper.page = frappe.ui.make_app_page({ parent: wrapper, title: __("Pair a TV"), single_column: true });
		wrapper.ready = frappe.require([
			"/assets/subscriber_tv/js/compare_tv.js",
			"/assets/subscriber_tv/css/pairing.css",
		]);
		wrapper.code = wrapper.page.add_field({
			fieldname: "code",
			fieldtype: "Data",
			label: __("Pairing Code"),
			change: () => go(wrapper.code.get_value()),
		});
		wrapper.page.main.append(`<div class="tv-pairing"></div>`);
	};

	frappe.pages["tv-pairing"].on_page_show = async (wrapper) => {
		await wrapper.ready;
		const code = frappe.get_route()[1];
		const box = wrapper.page.main.find(".tv-pairing");
		if (!code) return box.html(`<p class="text-muted">${__("Type the code on the screen of the TV.")}</p>`);
		if (wrapper.code.get_value() !== code) wrapper.code.set_input(code);
		return show(box, code);
	};

	function go(code) {
		const typed = (code || "").trim().toUpperCase();
		if (typed && frappe.get_route()[1] !== typed) frappe.set_route("tv-pairing", typed);
	}

	async function show(box, code) {
		box.empty();
		const tv = await subscriber_tv.pairing.find(code).catch(() => null);
		if (!tv) return box.html(subscriber_tv.pairing.unknown_html());
		const lines = await places(tv);
		box.html(`${subscriber_tv.pairing.card_html(tv, code)}${places_html(tv, lines)}`);
		box.find(".tv-pairing-bind").on("click", (event) => bind(box, code, lines[event.currentTarget.dataset.line]));
		box.find(".tv-pairing-refuse").on("click", () => subscriber_tv.pairing.refuse(code, () => done(box, "")));
		return null;
	}

	// Lines of subscriptions at the TV's site that have room for it.
	async function places(tv) {
		if (!tv.site) return [];
		const subscriptions = await frappe.db.get_list("TV Subscription", {
			filters: { site: tv.site, customer: tv.customer, state: ["in", BINDABLE] },
			fields: ["name"],
			limit: 20,
		});
		const seen = await Promise.all(
			subscriptions.map(({ name }) =>
				frappe.xcall("subscriber_tv.api.contracts.overview", { subscription: name })
			)
		);
		return seen.flatMap((overview, index) =>
			(overview.can_bind ? overview.lines : [])
				.filter((line) => line.bound < line.quantity)
				.map((line) => ({ ...line, subscription: subscriptions[index].name }))
		);
	}

	function places_html(tv, lines) {
		const refuse = `<button class="btn btn-default tv-pairing-refuse">${__("Not This TV")}</button>`;
		if (!lines.length) {
			const why = tv.site
				? __("No line of a subscription at this site has room for a TV.")
				: __("This TV has not been delivered to a site yet: deliver it first.");
			return `<p class="tv-pairing-none">${why}</p><div class="tv-pairing-lines">${refuse}</div>`;
		}
		const buttons = lines.map(
			(line, index) => `<button class="btn btn-primary tv-pairing-bind" data-line="${index}">
				${__("It Is This One: Bind It")}
				<small>${escape(line.subscription)} · ${escape(line.line_id)} · ${escape(line.offer_version)}
				(${line.bound}/${line.quantity})</small></button>`
		);
		return `<div class="tv-pairing-lines">${buttons.join("")}${refuse}</div>`;
	}

	async function bind(box, code, line) {
		box.find("button").prop("disabled", true);
		try {
			const serial = await frappe.xcall("subscriber_tv.api.activation.bind", {
				subscription: line.subscription,
				line_id: line.line_id,
				code,
			});
			done(box, serial, line.subscription);
		} finally {
			box.find("button").prop("disabled", false);
		}
	}

	function done(box, serial, subscription) {
		if (!serial) return frappe.set_route("tv-pairing");
		const link = `<a href="/app/tv-subscription/${encodeURIComponent(subscription)}">${escape(subscription)}</a>`;
		return box.html(
			`<div class="tv-pairing-card done"><h3>${__("TV {0} is bound", [escape(serial)])}</h3>
			<p>${__("Its picture comes by itself.")} ${link}</p></div>`
		);
	}
})();
