"""The data folder: files that only grow, whole rows whatever happens, rotated, compressed, and read again."""
