"""What the bot remembers across restarts: settings of servers, jobs, names, links and what was used."""
