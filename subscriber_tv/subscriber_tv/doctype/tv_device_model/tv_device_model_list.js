frappe.listview_settings["TV Device Model"] = {
	add_fields: ["disabled", "stock_policy"],

	get_indicator(doc) {
		if (doc.disabled) return [__("Disabled"), "gray", "disabled,=,1"];
		const color = doc.stock_policy === "Sold" ? "blue" : "green";
		return [__(doc.stock_policy), color, `stock_policy,=,${doc.stock_policy}|disabled,=,0`];
	},
};
