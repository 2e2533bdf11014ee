"""The buttons and forms below a result; a job's id is in the id of each, so that they work after a restart."""
