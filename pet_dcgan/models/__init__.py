"""Networks, losses, and the model that trains them."""
