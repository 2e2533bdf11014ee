"""Every Discord number the bot relies on, each with the page of Discord's documentation that gives it."""

TOKEN_LIFE = 15 * 60.0
"""Seconds that an interaction token works.
https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response"""
TOKEN_MARGIN = 5.0
"""Our own: seconds before that end from which on the token is no longer tried."""
FILES_PER_MESSAGE = 10
"""https://discord.com/developers/docs/resources/message#create-message"""
FILE_SIZE = 10 * 1024 * 1024
"""Bytes per file where nothing larger is granted, such as in direct messages.
https://discord.com/developers/docs/reference#uploading-files"""
CONTENT_LENGTH = 2000
"""https://discord.com/developers/docs/resources/message#create-message"""
EMBED_TITLE = 256
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
EMBED_DESCRIPTION = 4096
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
EMBED_FIELD = 1024
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
EMBED_TOTAL = 6000
"""Characters of all texts of a message's embeds.
https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
CHOICES = 25
"""Choices that autocomplete may offer.
https://discord.com/developers/docs/interactions/application-commands#autocomplete"""
FORM_TITLE = 45
"""https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
FORM_LABEL = 45
"""https://discord.com/developers/docs/components/reference#label"""
FORM_HINT = 100
"""https://discord.com/developers/docs/components/reference#label"""
FORM_FIELDS = 5
"""https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
BUTTON_LABEL = 80
"""https://discord.com/developers/docs/components/reference#button"""
THREAD_NAME = 100
"""https://discord.com/developers/docs/resources/channel#channel-object"""
NONCE_LENGTH = 25
"""https://discord.com/developers/docs/resources/message#create-message"""
EDIT_INTERVAL = 2.0
"""Our own: seconds between edits of one message, well within five requests in five seconds and channel.
https://discord.com/developers/docs/topics/rate-limits"""
EDITS_PER_SECOND = 20
"""Our own: progress edits of all jobs together, out of 50 requests a second for the whole bot.
https://discord.com/developers/docs/topics/rate-limits#global-rate-limit"""
REQUEST_TIME = 120.0
"""Our own: seconds for one request with its files, retries of the library included."""

THREAD_EXISTS = 160004
"""JSON error code of a second thread on one message.
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""
ENTITY_TOO_LARGE = 40005
"""JSON error code of a request that is too large.
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""
