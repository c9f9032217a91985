frappe.listview_settings["TV Renewal Notice"] = {
	add_fields: ["status"],

	get_indicator(doc) {
		const colors = { Due: "orange", Sent: "green", Late: "yellow", Missed: "red", "Not Needed": "gray" };
		return [__(doc.status), colors[doc.status], `status,=,${doc.status}`];
	},
};
