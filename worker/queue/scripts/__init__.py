"""The scripts that change the queue, each in one step, in Lua."""
