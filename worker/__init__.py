"""Jobs: the queue, the artefact store, the leases and the two workers."""
