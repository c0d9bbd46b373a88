"""What is made for people to look at, looked at in a real browser; skipped where there is none."""
