"""What the protocol means: the language, the protocol in layers, and the same protocol in bytes."""
