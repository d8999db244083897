"""What `make bench` measures: starts, the way to AWS and back, the ledger."""
