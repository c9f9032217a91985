app_name = "subscriber_tv"
app_title = "Subscriber TV"
app_publisher = "The subscriber_tv team"
app_description = "Subscriber management for pay-TV and TV as a service, from quote to paid invoice"
app_email = "team@subscriber-tv.example"
app_license = "gpl-3.0"
required_apps = ["erpnext"]
