"""One run: its threads, its connections and its symbols, from start to end."""
