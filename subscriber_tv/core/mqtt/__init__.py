"""What travels over the message broker: topics, payloads, how hints are spread out, what a TV makes of them."""
