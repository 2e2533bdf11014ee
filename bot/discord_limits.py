"""Limits of Discord, each with the page of its documentation, and the bot's own limits towards Discord."""

INTERACTION_TOKEN_MARGIN_S = 5.0
"""The bot's own: the token is not used so shortly before its end."""
MAX_FILES_PER_MESSAGE = 10
"""https://discord.com/developers/docs/resources/message#create-message"""
MIB = 1024 * 1024
DEFAULT_MAX_FILE_BYTES = 20 * MIB
"""Bytes per file where nothing larger is granted, such as in direct messages; 10 MiB before September 2026.
https://discord.com/developers/docs/reference#uploading-files"""
UPLOAD_STEPS_BYTES = (500 * MIB, 100 * MIB, 50 * MIB, DEFAULT_MAX_FILE_BYTES, 10 * MIB)
"""Limits that Discord gives or gave, for people and servers that pay and for others.
https://discord.com/developers/docs/reference#uploading-files"""
MAX_REQUEST_BYTES = 25 * MIB
"""Of all files of a request together; larger ones are mostly taken, but a refusal says nothing about one file.
https://discord.com/developers/docs/resources/message#create-message"""
MAX_CONTENT_CHARS = 2000
"""https://discord.com/developers/docs/resources/message#create-message"""
MAX_EMBED_TITLE_CHARS = 256
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
MAX_EMBED_DESCRIPTION_CHARS = 4096
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
MAX_EMBED_FIELD_CHARS = 1024
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
MAX_EMBED_TOTAL_CHARS = 6000
"""Characters of all texts of a message's embeds.
https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
MAX_AUTOCOMPLETE_CHOICES = 25
"""Choices that autocomplete may offer.
https://discord.com/developers/docs/interactions/application-commands#autocomplete"""
MAX_CHOICE_CHARS = 100
"""Of the name of a choice, and of its value.
https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure"""
MAX_MODAL_TITLE_CHARS = 45
"""https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
MAX_LABEL_CHARS = 45
"""https://discord.com/developers/docs/components/reference#label"""
MAX_LABEL_DESCRIPTION_CHARS = 100
"""https://discord.com/developers/docs/components/reference#label"""
MAX_MODAL_FIELDS = 5
"""https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
MAX_BUTTON_LABEL_CHARS = 80
"""https://discord.com/developers/docs/components/reference#button"""
MAX_MENU_OPTIONS = 25
"""https://discord.com/developers/docs/components/reference#string-select"""
MAX_MENU_OPTION_CHARS = 100
"""Of a label, a description and a value.
https://discord.com/developers/docs/components/reference#string-select"""
MAX_MENU_PLACEHOLDER_CHARS = 150
"""https://discord.com/developers/docs/components/reference#string-select"""
MAX_TEXT_INPUT_CHARS = 4000
"""https://discord.com/developers/docs/components/reference#text-input"""
MAX_THREAD_NAME_CHARS = 100
"""https://discord.com/developers/docs/resources/channel#channel-object"""
MAX_NONCE_CHARS = 25
"""https://discord.com/developers/docs/resources/message#create-message"""
EDIT_INTERVAL_S = 2.0
"""The bot's own: time between edits of one message, well within five requests in five seconds and channel.
https://discord.com/developers/docs/topics/rate-limits"""
MAX_EDITS_PER_SECOND = 20
"""The bot's own: progress edits of all jobs together, out of 50 requests a second for the whole bot.
https://discord.com/developers/docs/topics/rate-limits#global-rate-limit"""
REQUEST_TIMEOUT_S = 120.0
"""The bot's own: for one request with its files, retries of the library included."""

THREAD_EXISTS_CODE = 160004
"""JSON error code of a second thread on one message.
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""
ENTITY_TOO_LARGE_CODE = 40005
"""JSON error code of a request that is too large.
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""
