"""Scripts that run with another Python than `./dev` itself: the bench's, or the tool environment's."""
