frappe.listview_settings["TV Campaign Target"] = {
	add_fields: ["outcome"],
	hide_name_column: true,

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
