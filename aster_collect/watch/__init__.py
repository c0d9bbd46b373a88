"""How a run stands, for whoever looks: status file, metrics, log and terminal."""
