// What waits for the platform, and the buttons that send and compare now.
frappe.ui.form.on("TV Provisioning Platform", {
	refresh(frm) {
		if (frm.is_new()) return;
		show_state(frm);
		frm.add_custom_button(__("Orders"), () =>
			frappe.set_route("List", "TV Provisioning Order", { platform: frm.doc.name })
		);
		if (!frm.doc.enabled) return;
		frm.add_custom_button(__("Compare Now"), async () => {
			await frappe.xcall("subscriber_tv.api.provisioning.compare", { platform: frm.doc.name });
			frappe.show_alert(__("The platform is being asked what it holds."));
		});
	},
});

function show_state(frm) {
	const { Pending = 0, Sent = 0, Failed = 0 } = (frm.doc.__onload || {}).figures || {};
	const text = __("{0} orders wait, {1} are under way, {2} are refused.", [Pending, Sent, Failed]);
	if (!frm.doc.enabled) {
		frm.set_intro(__("Switched off: no orders are made or sent."), "grey");
	} else if (frm.doc.failing_since) {
		const since = frappe.datetime.str_to_user(frm.doc.failing_since);
		frm.set_intro(`${__("Not answering since {0}.", [since])} ${text}`, "red");
	} else {
		frm.set_intro(text, Failed ? "orange" : "blue");
	}
}
