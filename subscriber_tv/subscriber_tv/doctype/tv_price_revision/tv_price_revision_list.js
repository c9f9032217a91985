frappe.listview_settings["TV Price Revision"] = {
	add_fields: ["status"],
	has_indicator_for_draft: true,
	has_indicator_for_cancelled: true,

	get_indicator(doc) {
		const colors = {
			Draft: "gray",
			Completed: "green",
			"Completed with Errors": "orange",
			"Waiting for Letters": "yellow",
			"Taken Back": "purple",
			Failed: "red",
			Cancelled: "darkgrey",
		};
		return [__(doc.status), colors[doc.status] || "blue", `status,=,${doc.status}`];
	},
};
