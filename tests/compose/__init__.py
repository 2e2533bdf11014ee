"""The containers of `deploy/compose.yaml` around the small Discord: `make compose-test`."""
