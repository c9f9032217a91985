frappe.listview_settings["TV Import"] = {
	add_fields: ["status"],

	get_indicator(doc) {
		const colors = {
			Queued: "blue",
			Running: "blue",
			Completed: "green",
			"Completed with Errors": "orange",
			Failed: "red",
		};
		return [__(doc.status), colors[doc.status], `status,=,${doc.status}`];
	},
};
