frappe.listview_settings["TV Subscription"] = {
	add_fields: ["state"],

	get_indicator(doc) {
		const colors = {
			Draft: "gray",
			"Awaiting Documents": "yellow",
			"Awaiting Installation": "orange",
			"Awaiting Activation": "blue",
			Active: "green",
			Suspended: "red",
			Cancelling: "purple",
			Cancelled: "darkgrey",
			Uninstalled: "gray",
		};
		return [__(doc.state, null, "TV Subscription"), colors[doc.state], `state,=,${doc.state}`];
	},
};
