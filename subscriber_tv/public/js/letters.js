// Letters of a price revision or of renewals: sent by e-mail in the background, printed for the post, noted as posted.

const LETTERS_API = "subscriber_tv.api.letters";

// `add(label, action)` puts a button where the page wants it; `done` shows what has changed.
function letter_buttons(add, doctype, campaign, done) {
	add(__("Send by E-mail"), async () => {
		const number = await frappe.xcall(`${LETTERS_API}.send`, { doctype, campaign });
		frappe.show_alert({
			message: number
				? __("{0} letters are being sent in the background.", [number])
				: __("No letter waits."),
			indicator: "blue",
		});
		done();
	});
	add(__("Print for the Post"), () => {
		const query = $.param({ doctype, ...(campaign && { campaign }) });
		window.open(`/api/method/${LETTERS_API}.print_waiting?${query}`);
	});
	add(__("Note as Posted"), () => {
		frappe.confirm(
			__("Note that the printed letters, to customers without an e-mail address, were posted today?"),
			async () => {
				const number = await frappe.xcall(`${LETTERS_API}.mark_posted`, { doctype, campaign });
				frappe.show_alert({ message: __("{0} letters noted", [number]), indicator: "green" });
				done();
			}
		);
	});
}
