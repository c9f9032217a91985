{% include "subscriber_tv/public/js/upcoming_bills.js" %}
{% include "subscriber_tv/public/js/change_lines.js" %}
{% include "subscriber_tv/public/js/change_terms.js" %}
{% include "subscriber_tv/public/js/suggest_offer.js" %}
{% include "subscriber_tv/public/js/leave.js" %}
{% include "subscriber_tv/public/js/give_promotion.js" %}

// What is possible, and for whom, is decided by the server; the form asks it once and draws buttons.

const API = "subscriber_tv.api.contracts";

// Events that end or interrupt something: their reason is wanted for the history.
const REASON_WANTED = ["suspend", "cancel_at_date", "end"];

frappe.ui.form.on("TV Subscription", {
	setup(frm) {
		frm.set_query("site", () => ({ filters: { customer: frm.doc.customer || "", disabled: 0 } }));
		frm.set_query("exit_rule", () => ({ filters: { docstatus: 1 } }));
		frm.set_query("sales_channel", () => ({ filters: { disabled: 0 } }));
		frm.set_query("offer_version", "lines", () => ({
			filters: { docstatus: 1, ...(frm.doc.company && { company: frm.doc.company }) },
		}));
	},

	refresh(frm) {
		frm.set_df_property("lines", "read_only", frm.is_new() ? 0 : 1);
		if (frm.is_new()) {
			frm.set_intro(__("Choose customer, site and offer, then save: the contract begins as a draft."));
			return;
		}
		show_overview(frm);
	},

	customer(frm) {
		frm.set_value("site", null);
	},
});

async function show_overview(frm) {
	const name = frm.doc.name;
	const overview = await frappe.xcall(`${API}.overview`, { subscription: name });
	if (frm.doc.name !== name || frm.is_new()) return;
	frm.set_intro("");
	frm.set_intro(overview.hint, intro_color(overview.state));
	for (const text of overview.warnings) frm.set_intro(frappe.utils.escape_html(text), "orange");
	show_buttons(frm, overview);
	show_indicators(frm, overview);
	show_history(frm, overview);
}

function intro_color(state) {
	if (state === "Active") return "green";
	return ["Suspended", "Cancelling"].includes(state) ? "orange" : "blue";
}

function show_buttons(frm, overview) {
	const actions = overview.events.map((action) => ({
		key: action.event,
		label: action.label,
		run: () => ask(frm, overview, action),
	}));
	if (overview.can_deliver) {
		actions.unshift({ key: "deliver", label: __("Deliver TVs"), run: () => deliver(frm) });
	}
	if (overview.can_bind) {
		actions.unshift({ key: "bind", label: __("Bind TV"), run: () => bind(frm, overview) });
	}
	if (overview.can_change_lines) {
		actions.push({
			key: "change_lines",
			label: __("Change Lines"),
			run: () => new ChangeLines(frm, overview).show(),
		});
	}
	if (overview.can_change_lines) {
		actions.push({
			key: "promotion",
			label: __("Give a Promotion"),
			run: () => give_promotion(frm, overview),
		});
	}
	if (overview.can_keep_terms) {
		actions.push({
			key: "change_anchor",
			label: __("Move Billing Day"),
			run: () => move_billing_day(frm, overview),
		});
	}
	if (overview.can_keep_terms) actions.push(...party_actions(frm, overview));
	if (overview.can_suggest) {
		actions.push({ key: "suggest", label: __("Suggest an Offer"), run: () => suggest_offer(frm) });
	}
	actions.push({ key: "bills", label: __("Show Next Bills"), run: () => show_bills(frm) });
	frm.clear_custom_buttons();
	if (frm.doc.activated_on) {
		frm.add_custom_button(__("Billed Lines"), () =>
			frappe.set_route("explain-tv-line", "subscription", frm.doc.name)
		);
	}
	const [primary, others] = split(actions, (action) => action.key === overview.primary);
	for (const action of primary) {
		const button = frm.add_custom_button(action.label, action.run);
		button.removeClass("btn-default").addClass("btn-primary");
	}
	for (const action of others) frm.add_custom_button(action.label, action.run, __("Actions"));
}

function split(list, test) {
	return [list.filter(test), list.filter((entry) => !test(entry))];
}

function show_indicators(frm, overview) {
	frm.dashboard.stats_area_row && frm.dashboard.stats_area_row.empty();
	const served = overview.lines.filter(
		(line) => !line.option_of && (!line.to_date || line.to_date > overview.today)
	);
	for (const line of served) {
		const full = line.bound >= line.quantity;
		frm.dashboard.add_indicator(
			__("{0}: {1} of {2} TVs bound", [line.line_id, line.bound, line.quantity]),
			full ? "green" : "orange"
		);
	}
	for (const planned of overview.planned) {
		const day = frappe.datetime.str_to_user(planned.day);
		const text = planned.ends
			? __("{0}: {1} ends", [day, planned.line_id])
			: `${day}: ${planned.line_id}, ${planned.offer_version}, ${planned.quantity}`;
		frm.dashboard.add_indicator(frappe.utils.escape_html(text), "purple");
	}
	const waiting = overview.devices - overview.lines.reduce((sum, line) => sum + line.bound, 0);
	if (waiting > 0) frm.dashboard.add_indicator(__("{0} TVs delivered, not bound", [waiting]), "blue");
}

function show_history(frm, overview) {
	const rows = overview.changes.map((change) => history_row(overview, change)).join("");
	const box = frm.get_field("history_html").$wrapper.html(`<ul class="list-unstyled">${rows}</ul>`);
	box.find("[data-withdraw]").on("click", (event) => take_back(frm, $(event.currentTarget).data("withdraw")));
}

function history_row(overview, change) {
	const escape = frappe.utils.escape_html;
	const day = frappe.datetime.str_to_user(change.effective_date);
	const until = change.end_date
		? " " + __("until {0}", [frappe.datetime.str_to_user(change.end_date)])
		: "";
	const recorded = __("recorded {0} by {1}", [
		frappe.datetime.str_to_user(change.known_on),
		escape(frappe.user.full_name(change.author)),
	]);
	const reason = change.reason ? `<div>${escape(change.reason)}</div>` : "";
	const what = change.what.length ? `<div class="text-muted">${escape(change.what.join(" · "))}</div>` : "";
	const state = change.changes_state ? ` → ${escape(__(change.to_state))}${escape(until)}` : "";
	const withdrawn = change.withdrawn ? ` <span class="indicator-pill gray">${__("taken back")}</span>` : "";
	const button = change.can_withdraw && overview.can_keep_terms
		? ` <button class="btn btn-xs btn-default" data-withdraw="${change.change_no}">${__("Take Back")}</button>`
		: "";
	return `<li class="mb-3">
		<a href="/app/tv-subscription-change/${encodeURIComponent(change.name)}">
			<b>${day}</b> · ${escape(change.label)}${state}
		</a>
		<span class="text-muted small">${recorded}</span>${withdrawn}${button}${what}${reason}
	</li>`;
}

function take_back(frm, change_no) {
	frappe.prompt(
		{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
		async ({ reason }) => {
			await frappe.xcall("subscriber_tv.api.contract_terms.withdraw", {
				subscription: frm.doc.name,
				change_no,
				reason,
			});
			frm.reload_doc();
		},
		__("Take back change no. {0}", [change_no]),
		__("Take Back")
	);
}

async function show_bills(frm) {
	const answer = await frappe.xcall("subscriber_tv.api.simulator.change", { subscription: frm.doc.name });
	const dialog = new frappe.ui.Dialog({
		title: __("Next Bills of {0}", [frm.doc.name]),
		size: "large",
		fields: [{ fieldname: "bills", fieldtype: "HTML" }],
	});
	dialog.show();
	new UpcomingBills(dialog.fields_dict.bills.$wrapper, answer).draw();
}

function ask(frm, overview, action) {
	if (action.event === "cancel_at_date") {
		new LeaveDialog(frm, overview, action).show();
		return;
	}
	const dialog = new frappe.ui.Dialog({
		title: action.label,
		fields: fields_for(overview, action.event),
		primary_action_label: action.label,
		async primary_action(values) {
			dialog.disable_primary_action();
			try {
				await frappe.xcall(`${API}.change_state`, {
					subscription: frm.doc.name,
					event: action.event,
					...values,
				});
				dialog.hide();
				frappe.show_alert({ message: __("{0}: recorded", [action.label]), indicator: "green" });
				frm.reload_doc();
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	dialog.show();
}

function fields_for(overview, event) {
	const fields = [
		{
			fieldname: "effective_date",
			fieldtype: "Date",
			label: __("Effective"),
			default: overview.over_since || overview.today,
			reqd: 1,
			description: __("First day of the new state, in the time zone of the site"),
		},
	];
	if (event === "suspend" && overview.can_keep_terms) {
		fields.push({
			fieldname: "billing_stops",
			fieldtype: "Check",
			label: __("Billing Stops"),
			description: __("Days of the suspension are not charged; what was billed for them is credited"),
		});
	}
	fields.push({
		fieldname: "reason",
		fieldtype: "Small Text",
		label: __("Reason"),
		reqd: REASON_WANTED.includes(event) ? 1 : 0,
	});
	return fields;
}

async function bind(frm, overview) {
	await frappe.require(["/assets/subscriber_tv/js/compare_tv.js", "/assets/subscriber_tv/css/pairing.css"]);
	const open = overview.lines.filter((line) => line.bound < line.quantity);
	const dialog = new frappe.ui.Dialog({
		title: __("Bind TV"),
		fields: [
			{
				fieldname: "code",
				fieldtype: "Data",
				label: __("Pairing Code"),
				reqd: 1,
				description: __("The code on the screen of the TV"),
				change: () => show_tv(dialog),
			},
			{
				fieldname: "show",
				fieldtype: "Button",
				label: __("Show This TV"),
				click: () => show_tv(dialog),
			},
			{ fieldname: "tv", fieldtype: "HTML" },
			{
				fieldname: "line_id",
				fieldtype: "Select",
				label: __("Line"),
				reqd: 1,
				default: open[0].line_id,
				options: open.map((line) => ({
					value: line.line_id,
					label: `${line.line_id} · ${line.offer_version} (${line.bound}/${line.quantity})`,
				})),
			},
		],
		secondary_action_label: __("Not This TV"),
		secondary_action: () =>
			dialog.shown && subscriber_tv.pairing.refuse(dialog.shown, () => dialog.hide()),
		primary_action_label: __("Bind"),
		async primary_action(values) {
			dialog.disable_primary_action();
			try {
				const answer = await frappe.xcall("subscriber_tv.api.activation.bind", {
					subscription: frm.doc.name,
					line_id: values.line_id,
					code: dialog.shown,
				});
				dialog.hide();
				frappe.show_alert({
					message: __("TV {0} is bound", [answer]),
					indicator: "green",
				});
				frm.reload_doc();
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	dialog.shown = "";
	dialog.disable_primary_action();
	dialog.show();
}

// Nothing is bound that was not looked at: the button waits until the TV of just this code is shown.
async function show_tv(dialog) {
	const box = dialog.get_field("tv").$wrapper;
	const code = (dialog.get_value("code") || "").trim();
	if (dialog.asked === code) return;
	dialog.asked = code;
	dialog.shown = "";
	dialog.disable_primary_action();
	box.empty();
	if (!code) return;
	const tv = await subscriber_tv.pairing.find(code).catch(() => null);
	if (dialog.asked !== code) return;
	if (!tv) dialog.asked = "";
	box.html(tv ? subscriber_tv.pairing.card_html(tv, code) : subscriber_tv.pairing.unknown_html());
	if (!tv) return;
	dialog.shown = code;
	dialog.enable_primary_action();
}

function deliver(frm) {
	const dialog = new frappe.ui.Dialog({
		title: __("Deliver TVs"),
		fields: [
			{
				fieldname: "serials",
				fieldtype: "Small Text",
				label: __("Serial Numbers"),
				reqd: 1,
				description: __("One a line, typed or scanned"),
			},
		],
		primary_action_label: __("Deliver"),
		async primary_action({ serials }) {
			dialog.disable_primary_action();
			try {
				await frappe.xcall("subscriber_tv.api.activation.deliver", {
					subscription: frm.doc.name,
					serials: serials.split(/[\s,;]+/).filter(Boolean),
				});
				dialog.hide();
				frappe.show_alert({ message: __("The TVs are at the site"), indicator: "green" });
				frm.reload_doc();
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	dialog.show();
}
