// Facts only: a TV moves by stock documents and is paired on its subscription.

const PAIRING_ROLES = ["TV Support", "TV Back Office", "TV Logistics", "System Manager"];
const REVOKING_ROLES = ["TV Support", "TV Back Office", "System Manager"];

frappe.ui.form.on("TV Device", {
	refresh(frm) {
		frm.disable_save();
		show_state(frm);
		show_story(frm);
		frm.add_custom_button(__("Why Refused?"), () => frappe.set_route("why-tv-refused", frm.doc.name));
		if (frm.doc.line_id && has_one_of(PAIRING_ROLES)) {
			frm.add_custom_button(__("Unbind"), () => unbind(frm));
		}
		if (has_one_of(REVOKING_ROLES)) {
			add_revoke_button(frm);
			if (frm.doc.line_id) {
				frm.add_custom_button(__("Parental Lock"), () => set_parental_lock(frm));
			}
		}
		if (frm.doc.subscription) {
			frm.add_custom_button(__("Subscription"), () =>
				frappe.set_route("Form", "TV Subscription", frm.doc.subscription)
			);
		}
	},
});

async function show_story(frm) {
	await frappe.require(["/assets/subscriber_tv/js/device_story.js", "/assets/subscriber_tv/css/fleet.css"]);
	subscriber_tv.show_device_now(frm);
	subscriber_tv.show_device_story(frm);
}

function show_state(frm) {
	frm.set_intro("");
	if (frm.doc.credential_state === "Pending") {
		const until = frappe.datetime.str_to_user(frm.doc.pairing_until);
		frm.set_intro(__("This TV shows a pairing code until {0}. Bind it on its subscription.", [until]), "blue");
	} else if (frm.doc.credential_state === "Revoked") {
		frm.set_intro(__("This TV is revoked: it can neither play nor pair."), "red");
	} else if (frm.doc.credential_state === "Quarantined") {
		frm.set_intro(__("This TV is quarantined: signs show that it has a copy. Look at them, then clear them or revoke it."), "red");
	} else if (frm.doc.suspicion) {
		frm.set_intro(__("Signs show that this TV may have a copy. It is {0}.", [__(frm.doc.suspicion).toLowerCase()]), "orange");
	} else if (["In Service", "Sold"].includes(frm.doc.state) && !frm.doc.line_id) {
		frm.set_intro(__("Delivered, but not bound to a subscription: it shows a pairing code when switched on."), "orange");
	}
}

function has_one_of(roles) {
	return roles.some((role) => frappe.user.has_role(role));
}

function add_revoke_button(frm) {
	if (frm.doc.credential_state === "Revoked") {
		frm.add_custom_button(__("Readmit"), () => readmit(frm));
	} else {
		frm.add_custom_button(__("Revoke"), () => revoke(frm));
	}
}

function unbind(frm) {
	ask_reason(frm, "unbind", __("Unbind TV {0}", [frm.doc.name]), __("Unbind"), __("TV {0} is unbound.", [frm.doc.name]));
}

function revoke(frm) {
	ask_reason(frm, "revoke", __("Shut TV {0} out", [frm.doc.name]), __("Revoke"), __("TV {0} is revoked.", [frm.doc.name]));
}

function readmit(frm) {
	ask_reason(frm, "readmit", __("Let TV {0} in again", [frm.doc.name]), __("Readmit"), __("TV {0} may pair again.", [frm.doc.name]));
}

function ask_reason(frm, action, title, label, done) {
	frappe.prompt(
		{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
		async ({ reason }) => {
			await frappe.xcall(`subscriber_tv.api.activation.${action}`, { device: frm.doc.name, reason });
			frappe.show_alert({ message: done, indicator: "green" });
			frm.reload_doc();
		},
		title,
		label
	);
}

function set_parental_lock(frm) {
	const choices = [
		{ value: "", label: __("As the site says") },
		{ value: "Unlocked", label: __("Unlocked") },
		{ value: "10", label: __("From 10 years") },
		{ value: "12", label: __("From 12 years") },
		{ value: "16", label: __("From 16 years") },
		{ value: "18", label: __("From 18 years") },
	];
	const pins = [
		...(frm.doc.pin_set_on ? [{ value: "Keep", label: __("Keep the PIN") }] : []),
		{ value: "New", label: __("Set a new PIN") },
		{ value: "None", label: __("No PIN: locked channels stay locked") },
	];
	const dialog = new frappe.ui.Dialog({
		title: __("Parental Lock of TV {0}", [frm.doc.name]),
		fields: [
			{
				fieldname: "age",
				fieldtype: "Select",
				label: __("Lock Channels"),
				options: choices,
				default: (frm.doc.parental_lock || "").match(/\d+/)?.[0] || frm.doc.parental_lock || "",
			},
			{
				fieldname: "pin_rule",
				fieldtype: "Select",
				label: __("PIN"),
				options: pins,
				default: pins[0].value,
				reqd: 1,
				depends_on: 'eval:doc.age !== "Unlocked"',
				description: __("The subscriber types it on the remote control to open a locked channel."),
			},
			{
				fieldname: "pin",
				fieldtype: "Password",
				label: __("New PIN"),
				no_strength: 1,
				description: __("4 to 8 digits. It cannot be shown again."),
				depends_on: 'eval:doc.age !== "Unlocked" && doc.pin_rule === "New"',
				mandatory_depends_on: 'eval:doc.age !== "Unlocked" && doc.pin_rule === "New"',
			},
		],
		primary_action_label: __("Lock"),
		async primary_action({ age, pin_rule, pin }) {
			const rule = age === "Unlocked" ? "None" : pin_rule;
			await frappe.xcall("subscriber_tv.api.activation.set_parental_lock", {
				device: frm.doc.name,
				age: age || "",
				pin: rule === "New" ? pin : "",
				pin_rule: rule,
			});
			dialog.hide();
			frappe.show_alert({ message: __("The lock reaches the TV within seconds."), indicator: "green" });
			frm.reload_doc();
		},
	});
	dialog.show();
}
