frappe.ui.form.on("TV Command", {
	refresh(frm) {
		frm.disable_save();
		frm.set_intro("");
		if (frm.doc.state === "Queued") {
			frm.set_intro(__("It goes out as soon as the publisher reaches the broker."), "blue");
		} else if (frm.doc.state === "Failed") {
			frm.set_intro(frm.doc.error, "red");
		}
		if (frm.doc.tvs) {
			frm.dashboard.add_progress(__("Done by {0} of {1} TVs", [frm.doc.acked, frm.doc.tvs]), [
				{ title: __("Done"), width: (100 * frm.doc.acked) / frm.doc.tvs, progress_class: "progress-bar-success" },
				{ title: __("Not possible"), width: (100 * frm.doc.refused) / frm.doc.tvs, progress_class: "progress-bar-danger" },
			]);
		}
	},
});
