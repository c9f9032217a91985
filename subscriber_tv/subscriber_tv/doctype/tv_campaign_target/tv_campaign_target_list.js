frappe.listview_settings["TV Campaign Target"] = {
	add_fields: ["outcome"],

	get_indicator(doc) {
		const colors = {
			Pending: "blue",
			Applied: "green",
			Parked: "orange",
			"Left Out": "gray",
			"Taken Back": "purple",
		};
		return [__(doc.outcome), colors[doc.outcome], `outcome,=,${doc.outcome}`];
	},
};
