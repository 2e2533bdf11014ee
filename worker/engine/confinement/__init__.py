"""Confinement of the engine process and of the programs that it starts, by means of the Linux kernel."""
