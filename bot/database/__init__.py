"""What the bot stores: settings of servers, jobs, names of speakers, links and usage."""
