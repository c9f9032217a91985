frappe.query_reports["TV Quote and Bill"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
		{ fieldname: "quotation", label: __("Quotation"), fieldtype: "Link", options: "Quotation" },
		{ fieldname: "only_differences", label: __("Only Differences"), fieldtype: "Check" },
	],
};
