"""Set Stemcord up, run it on one machine, and control it from the command line."""
