"""The protocol, one file a layer. Start with `exactly_once`."""
