frappe.ui.form.on("TV Command", {
	refresh(frm) {
		frm.disable_save();
		frm.set_intro("");
		if (frm.doc.state === "Queued") {
			frm.set_intro(__("It goes out as soon as the publisher reaches the broker."), "blue");
		} else if (frm.doc.state === "Failed") {
			frm.set_intro(frm.doc.error, "red");
		}
		if (!["Sent", "Done"].includes(frm.doc.state)) return;
		const all = frm.doc.acked >= frm.doc.tvs;
		frm.dashboard.add_indicator(
			__("Done by {0} of {1} TVs", [frm.doc.acked, frm.doc.tvs]),
			all ? "green" : "blue"
		);
		if (frm.doc.refused) {
			frm.dashboard.add_indicator(__("Not possible on {0}", [frm.doc.refused]), "red");
		}
	},
});
