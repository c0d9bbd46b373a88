"""What ASTER says: its streams, frames and REST answers, and what of them goes into a file. Pure."""
