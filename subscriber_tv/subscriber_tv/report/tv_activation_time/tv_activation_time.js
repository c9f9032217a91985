frappe.query_reports["TV Activation Time"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
		},
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.get_today() },
		{
			fieldname: "group",
			label: __("Group by"),
			fieldtype: "Select",
			default: "sector",
			options: [
				{ value: "sector", label: __("Sector") },
				{ value: "segment", label: __("Segment") },
				{ value: "partner", label: __("Sales Partner") },
				{ value: "channel", label: __("Sales Channel") },
			],
		},
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
	],
};
