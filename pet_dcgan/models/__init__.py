"""The networks, their losses, and how one step trains them."""
