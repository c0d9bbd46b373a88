"""The way to the exchange and back: connections, REST, and how politely both are asked."""
