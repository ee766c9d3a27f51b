"""Several processes as one run: rendezvous, heartbeats, timeouts, and stopping together."""
