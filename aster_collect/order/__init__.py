"""How events become rows in order, each once, and what of them is missing. Pure."""
