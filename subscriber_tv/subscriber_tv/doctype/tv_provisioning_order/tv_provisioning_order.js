// Why an order is not done yet, and the button that sends it again under its own key.
frappe.ui.form.on("TV Provisioning Order", {
	setup(frm) {
		frm.get_docfield("entitlements").formatter = (value) =>
			frappe.utils.escape_html(JSON.parse(value || "[]").join(", "));
	},

	refresh(frm) {
		frm.disable_save();
		show_problem(frm);
		if (!["Pending", "Failed"].includes(frm.doc.state)) return;
		const label = frm.doc.state === "Failed" ? __("Send Again") : __("Send Now");
		frm.add_custom_button(label, async () => {
			await frappe.xcall("subscriber_tv.api.provisioning.replay", { names: [frm.doc.name] });
			frm.reload_doc();
		}).addClass("btn-primary");
	},
});

function show_problem(frm) {
	const { state, attempts, last_error } = frm.doc;
	const said = frappe.utils.escape_html(last_error || "");
	if (state === "Failed") {
		frm.set_intro(`${__("The platform refuses it. Put right what it says there, then send it again.")} ${said}`, "red");
	} else if (state === "Pending" && attempts) {
		frm.set_intro(`${__("It is tried again by itself until the platform answers.")} ${said}`, "orange");
	} else if (state === "Superseded") {
		frm.set_intro(__("A newer order of the same subject took its place."), "grey");
	}
}
