// A column of a table in a dialog, as `fields` of the table takes it; loaded by the dialogs that have one.

frappe.provide("subscriber_tv");

subscriber_tv.table_column = (fieldname, fieldtype, label, columns, read_only = 1) => ({
	fieldname,
	fieldtype,
	label,
	columns,
	read_only,
	options: fieldtype === "Currency" ? "currency" : undefined,
	in_list_view: 1,
});
