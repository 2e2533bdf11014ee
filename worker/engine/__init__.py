"""The warm child process that runs the stages."""
