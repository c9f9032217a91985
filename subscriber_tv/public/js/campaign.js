{% include "subscriber_tv/public/js/letters.js" %}

// What price revisions and migrations share: preview, progress, and the buttons of a submitted one.

(() => {
	const API = "subscriber_tv.api.campaigns";
	const WORKING = ["Queued", "Listing", "Running", "Taking Back"];
	const ASK_AGAIN = 3000; // milliseconds
	const LOOK_AGAIN = 5000;

	for (const doctype of ["TV Price Revision", "TV Migration"]) {
		frappe.ui.form.on(doctype, {
			setup(frm) {
				frappe.realtime.on("tv_campaign_progress", (message) => {
					if (message.campaign !== frm.doc.name) return;
					if (message.over || message.status !== frm.doc.status) frm.reload_doc();
					else show_progress(frm, message);
				});
			},

			async onload(frm) {
				if (!frm.is_new() || frm.doc.company) return;
				const found = await frappe.db.get_value("TV Settings", "TV Settings", "company");
				await frm.set_value("company", (found.message || {}).company);
			},

			company(frm) {
				if (!frm.doc.company) return;
				frm.set_value("currency", frappe.get_doc(":Company", frm.doc.company)?.default_currency);
			},

			refresh(frm) {
				if (frm.is_new()) return;
				if (frm.doc.docstatus === 0) {
					frm.add_custom_button(__("Preview"), () => preview(frm)).addClass("btn-primary");
				}
				if (frm.doc.docstatus === 1) show_campaign(frm);
			},
		});
	}

	function show_campaign(frm) {
		if (WORKING.includes(frm.doc.status)) look(frm);
		show_intro(frm);
		frm.add_custom_button(__("Contracts"), () =>
			frappe.set_route("List", "TV Campaign Target", {
				campaign_doctype: frm.doctype,
				campaign: frm.doc.name,
			})
		);
		if (frm.doctype === "TV Price Revision" && may_write_letters(frm)) {
			const add = (label, action) => frm.add_custom_button(label, action, __("Letters"));
			letter_buttons(add, "TV Campaign Target", frm.doc.name, () => frm.reload_doc());
		}
		if (!frm.perm[0].submit) return;
		if (frm.doc.status === "Waiting for Letters") {
			frm.add_custom_button(__("Apply"), () => apply(frm)).addClass("btn-primary");
		} else if ([...WORKING, "Failed"].includes(frm.doc.status)) {
			frm.add_custom_button(__("Resume"), () => act(frm, "start"));
		}
		if (frm.doc.targets_parked) {
			frm.add_custom_button(__("Retry Parked"), () => act(frm, "retry_parked")).addClass("btn-primary");
		}
		if (may_take_back(frm)) {
			frm.add_custom_button(__("Take Back"), () => take_back(frm)).addClass("btn-danger");
		}
	}

	function may_write_letters(frm) {
		return frm.perm[0].write && frm.doc.targets_total && frm.doc.status !== "Taken Back";
	}

	function may_take_back(frm) {
		const { status, undo_until, targets_applied } = frm.doc;
		if (["Taking Back", "Taken Back", "Queued", "Listing"].includes(status)) return false;
		if (!targets_applied) return false;
		return !undo_until || undo_until >= frappe.datetime.get_today();
	}

	function show_intro(frm) {
		const { status, targets_parked, targets_applied, targets_total } = frm.doc;
		if (targets_parked) {
			frm.set_intro(
				__("{0} contracts are parked: read the reason in their list, put it right, then retry them.", [
					targets_parked,
				]),
				"orange"
			);
		} else if (status === "Waiting for Letters") {
			frm.set_intro(__("Next: send the letters, then apply. Nothing is changed before."), "blue");
		} else if (status === "Completed") {
			frm.set_intro(__("Applied to {0} of {1} contracts.", [targets_applied, targets_total]), "green");
		} else if (status === "Taken Back") {
			frm.set_intro(__("Every change was taken back; the next bills put right what was billed."), "blue");
		}
	}

	// Events tell each second how far it is; where none arrive, the form asks.
	async function look(frm) {
		const { name, status } = frm.doc;
		clearTimeout(frm.tv_timer);
		const state = await frappe.xcall(`${API}.state_of`, { doctype: frm.doctype, campaign: name });
		if (frm.doc.name !== name) return;
		if (state.status !== status) return frm.reload_doc();
		show_progress(frm, state);
		frm.tv_timer = setTimeout(() => frm.doc.name === name && frm.$wrapper.is(":visible") && look(frm), LOOK_AGAIN);
	}

	function show_progress(frm, { targets_total, targets_applied, targets_parked, targets_taken_back }) {
		if (!targets_total) return;
		if (["Queued", "Listing"].includes(frm.doc.status)) {
			frm.dashboard.show_progress(__("Listing"), 0, __("{0} contracts listed", [targets_total]));
			return;
		}
		const back = frm.doc.status === "Taking Back";
		const label = back ? __("Taking back") : __("Applying");
		const done = back ? targets_taken_back : targets_applied + targets_parked + targets_taken_back;
		const percent = Math.round((done * 100) / targets_total);
		frm.dashboard.show_progress(label, percent, `${label}: ${done} / ${targets_total}`);
	}

	async function act(frm, method) {
		await frappe.xcall(`${API}.${method}`, { doctype: frm.doctype, campaign: frm.doc.name });
		frappe.show_alert({ message: __("It goes on in the background."), indicator: "blue" });
		frm.reload_doc();
	}

	function apply(frm) {
		const { letters_sent, targets_total } = frm.doc;
		const missing = targets_total - letters_sent;
		if (!missing) return act(frm, "start");
		frappe.confirm(
			__("{0} contracts have no letter yet and will be parked. Apply to the others?", [missing]),
			() => act(frm, "start")
		);
	}

	function take_back(frm) {
		frappe.confirm(
			__("Take back the changes of {0} contracts? What was billed by them is credited by the next bills.", [
				frm.doc.targets_applied,
			]),
			() => act(frm, "take_back")
		);
	}

	async function preview(frm) {
		if (frm.is_dirty()) await frm.save();
		const answer = await frappe.xcall(`${API}.preview`, {
			doctype: frm.doctype,
			campaign: frm.doc.name,
		});
		if (answer.waiting) {
			frappe.show_alert({ message: __("The preview is being made…"), indicator: "blue" });
			setTimeout(() => preview(frm), ASK_AGAIN);
			return;
		}
		const dialog = new frappe.ui.Dialog({
			title: __("What would change"),
			size: "extra-large",
			fields: [{ fieldtype: "HTML", fieldname: "page" }],
		});
		const page = dialog.get_field("page").$wrapper.html(preview_html(answer));
		dialog.show();
		dialog.$wrapper.on("shown.bs.modal", () => draw(page, answer));
	}

	function draw(page, answer) {
		if (!answer.segments.length) return;
		new frappe.Chart(page.find(".tv-campaign-chart")[0], {
			type: "bar",
			height: 220,
			colors: ["#a0aec0", "#2490ef"],
			data: {
				labels: answer.segments.map((one) => one.segment || __("No segment")),
				datasets: [
					{ name: __("Before"), values: answer.segments.map((one) => flt(one.before)) },
					{ name: __("After"), values: answer.segments.map((one) => flt(one.after)) },
				],
			},
			tooltipOptions: { formatTooltipY: (value) => format_currency(value, answer.currency) },
		});
	}

	function preview_html(answer) {
		const escape = frappe.utils.escape_html;
		const notes = answer.refused.map((text) => `<div class="alert alert-warning">${escape(text)}</div>`);
		const left_out = Object.entries(answer.left_out).map(
			([why, number]) => `<li>${escape(why)} (${number})</li>`
		);
		const left = left_out.length ? `<h6>${__("Left out")}</h6><ul>${left_out.join("")}</ul>` : "";
		if (!answer.contracts) {
			return `${notes.join("")}<p class="text-muted">${__("No contract would change.")}</p>${left}`;
		}
		return `${notes.join("")}${figures(answer)}
			<h6 class="mt-4">${__("Monthly revenue by segment")}</h6><div class="tv-campaign-chart"></div>
			${segments(answer)}${outliers(answer)}${left}`;
	}

	function figures(answer) {
		const money = (amount) => format_currency(amount, answer.currency);
		const rise = flt(answer.before) ? (flt(answer.after) / flt(answer.before) - 1) * 100 : 0;
		const told = [
			[__("Contracts"), `${answer.contracts} (${__("{0} lines", [answer.lines])})`],
			[__("Monthly revenue"), `${money(answer.before)} → <b>${money(answer.after)}</b>`],
			[__("Change"), `${percent(rise)} (${__("from {0} to {1}", [percent(answer.least), percent(answer.most)])})`],
		];
		if (answer.bills) {
			told.push([__("Bills of a year"), `${money(answer.year_before)} → <b>${money(answer.year_after)}</b>`]);
		}
		const cells = told.map(
			([label, value]) =>
				`<div class="col-sm-3"><div class="text-muted small">${label}</div><div>${value}</div></div>`
		);
		return `<div class="row">${cells.join("")}</div>`;
	}

	function percent(value) {
		return value === null ? "–" : `${format_number(flt(value), null, 2)} %`;
	}

	function segments(answer) {
		return table(
			[__("Segment"), __("Contracts"), __("Before"), __("After"), __("Difference")],
			answer.segments.map((one) => [
				frappe.utils.escape_html(one.segment || __("No segment")),
				one.contracts,
				format_currency(one.before, answer.currency),
				format_currency(one.after, answer.currency),
				format_currency(flt(one.after) - flt(one.before), answer.currency),
			])
		);
	}

	function outliers(answer) {
		if (!answer.outliers.length) return "";
		const shown = table(
			[__("Subscription"), __("Segment"), __("Before"), __("After"), __("Change")],
			answer.outliers.map((one) => [
				`<a href="/app/tv-subscription/${encodeURIComponent(one.subscription)}">${frappe.utils.escape_html(
					one.subscription
				)}</a>`,
				frappe.utils.escape_html(one.segment || ""),
				format_currency(one.monthly_before, answer.currency),
				format_currency(one.monthly_after, answer.currency),
				percent(one.percent),
			])
		);
		return `<h6>${__("Contracts that stand out ({0})", [answer.outliers_total])}</h6>${shown}`;
	}

	function table(labels, rows) {
		const right = (index) => (index ? ' class="text-right"' : "");
		const head = labels.map((label, index) => `<th${right(index)}>${label}</th>`).join("");
		const body = rows.map(
			(row) => `<tr>${row.map((cell, index) => `<td${right(index)}>${cell}</td>`).join("")}</tr>`
		);
		return `<table class="table table-bordered table-condensed"><thead><tr>${head}</tr></thead><tbody>${body.join(
			""
		)}</tbody></table>`;
	}
})();
