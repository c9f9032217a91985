// Facts only: a TV moves by stock documents and is paired on its subscription.

const PAIRING_ROLES = ["TV Support", "TV Back Office", "TV Logistics", "System Manager"];

frappe.ui.form.on("TV Device", {
	refresh(frm) {
		frm.disable_save();
		show_state(frm);
		if (frm.doc.line_id && PAIRING_ROLES.some((role) => frappe.user.has_role(role))) {
			frm.add_custom_button(__("Unbind"), () => unbind(frm));
		}
		if (frm.doc.subscription) {
			frm.add_custom_button(__("Subscription"), () =>
				frappe.set_route("Form", "TV Subscription", frm.doc.subscription)
			);
		}
	},
});

function show_state(frm) {
	frm.set_intro("");
	if (frm.doc.credential_state === "Pending") {
		const until = frappe.datetime.str_to_user(frm.doc.pairing_until);
		frm.set_intro(__("This TV shows a pairing code until {0}. Bind it on its subscription.", [until]), "blue");
	} else if (frm.doc.credential_state === "Revoked") {
		frm.set_intro(__("This TV is revoked: it can neither play nor pair."), "red");
	} else if (["In Service", "Sold"].includes(frm.doc.state) && !frm.doc.line_id) {
		frm.set_intro(__("Delivered, but not bound to a subscription: it shows a pairing code when switched on."), "orange");
	}
}

function unbind(frm) {
	frappe.prompt(
		{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
		async ({ reason }) => {
			await frappe.xcall("subscriber_tv.api.activation.unbind", { device: frm.doc.name, reason });
			frappe.show_alert({ message: __("TV {0} is unbound.", [frm.doc.name]), indicator: "green" });
			frm.reload_doc();
		},
		__("Unbind TV {0}", [frm.doc.name]),
		__("Unbind")
	);
}
