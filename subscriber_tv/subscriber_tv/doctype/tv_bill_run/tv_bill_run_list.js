frappe.listview_settings["TV Bill Run"] = {
	add_fields: ["status"],
	has_indicator_for_draft: true,
	has_indicator_for_cancelled: true,

	get_indicator(doc) {
		const colors = {
			Draft: "gray",
			Previewing: "blue",
			"Awaiting Approval": "yellow",
			Queued: "blue",
			Running: "blue",
			Completed: "green",
			"Completed with Errors": "orange",
			Failed: "red",
			Cancelled: "darkgrey",
		};
		return [__(doc.status), colors[doc.status], `status,=,${doc.status}`];
	},
};
