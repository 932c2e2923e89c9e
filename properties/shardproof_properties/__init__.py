"""What must be true of the protocol, and of every implementation of it. Start with `safety`."""
