frappe.listview_settings["TV Dispute"] = {
	add_fields: ["state"],

	get_indicator(doc) {
		const colors = {
			Open: "red",
			"Under Review": "orange",
			Accepted: "green",
			Rejected: "darkgrey",
			Withdrawn: "gray",
			Closed: "gray",
		};
		return [__(doc.state), colors[doc.state], `state,=,${doc.state}`];
	},
};
