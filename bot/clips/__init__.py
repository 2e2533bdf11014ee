"""Where clips come from: attachments of messages, and links."""
