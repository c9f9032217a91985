"""Scripts that run with the bench's Python, from the overlay's sites folder. Nothing of `./dev` imports them."""
