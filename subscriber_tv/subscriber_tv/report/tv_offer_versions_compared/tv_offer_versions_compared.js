frappe.query_reports["TV Offer Versions Compared"] = {
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
			default: frappe.defaults.get_user_default("Company"),
		},
		{ fieldname: "offer", label: __("Offer"), fieldtype: "Link", options: "TV Offer" },
	],
};
