frappe.ui.form.on("TV Device Model", {
	setup(frm) {
		frm.set_query("item", () => ({ filters: { is_stock_item: 1, has_serial_no: 1, disabled: 0 } }));
	},
});
