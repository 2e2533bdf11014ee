"""Every error that the bot itself raises.

BotError                        root of the bot's errors, under `pipeline.errors.StemcordError`
  TranslatedError               told to people in their own language
    RefusedError                the request cannot be done
      ClipError                 the attachment is not a clip that can be used
      SizeError                 the attachment is too large
      EditConflictError         somebody changed the same line of a transcript
      QuotaError                a limit of the server is reached
    DownloadError               an attachment could not be downloaded
    AckTimeoutError             a person could not be answered in time
    SummaryError                the language model gave no summary
  DatabaseError                 the database cannot be read or written
  DiscordUnavailableError       Discord did not answer
  DeliveryError                 a message did not arrive by one route
    TransientError              the same attempt can work later
    FilesTooLargeError          the place does not take files of this size
    UploadTimeoutError          the files were not uploaded in time
  PageError                     a page cannot be shown
    ResultPendingError          the job of a page still runs
  PortError                     the web server cannot listen on its address
  SecretError                   the secret that signs links cannot be read or written
  StartError                    the bot cannot start
"""

from collections.abc import Sequence
from http import HTTPStatus

from bot.i18n.translator import ENGLISH, Translator
from bot.messages.job_progress import JobProgress
from pipeline.errors import StemcordError


class BotError(StemcordError):
    """Root of the errors that the bot itself raises."""


class TranslatedError(BotError):
    """Error whose text is in the translations; the exception itself reads in English.

    Args:
        key: Key of the message.
        hint: Key of what the person can do; empty for none.
        detail: For the log.
        values: Variables of the message.

    """

    def __init__(self, key: str, hint: str = "", *, detail: str = "", **values: str | int) -> None:
        self.key = key
        self.hint_key = hint
        self.values = values
        english = Translator(ENGLISH)
        super().__init__(english.format(key, **values), hint=english.format(hint) if hint else "", detail=detail)


class RefusedError(TranslatedError):
    """The request cannot be done."""


class ClipError(RefusedError):
    """The attachment is not a clip that can be used."""


class SizeError(RefusedError):
    """The attachment is too large."""


class QuotaError(RefusedError):
    """A limit of the server is reached; `resets_at` is the Unix time at which it starts again."""

    def __init__(
        self, key: str, hint: str = "", *, resets_at: float | None = None, detail: str = "", **values: str | int
    ) -> None:
        super().__init__(key, hint, detail=detail, **values)
        self.resets_at = resets_at


class EditConflictError(RefusedError):
    """Somebody changed the same lines or speakers of a transcript.

    Args:
        changed: What was changed: ids of lines, and `speaker:` with ids of speakers.
        author: Id of the person who did, the last one of several.
        at: Unix time.

    """

    def __init__(self, changed: Sequence[str], *, author: str, at: float) -> None:
        super().__init__(
            "edit-conflict",
            "edit-conflict-hint",
            what=", ".join(each.removeprefix("speaker:") for each in changed)[:200],
        )
        self.changed = tuple(changed)
        self.author = author
        self.at = at


class DownloadError(TranslatedError):
    """An attachment could not be downloaded."""


class AckTimeoutError(TranslatedError):
    """The database or the queue was too slow to answer a person in time."""


class SummaryError(TranslatedError):
    """The language model gave no summary.

    Args:
        detail: For the log: what happened, without any text.

    """

    def __init__(self, detail: str) -> None:
        super().__init__("summary-failed", "try-soon", detail=detail)


class DatabaseError(BotError):
    """The database cannot be read or written."""

    default_hint = "Try again in a minute."


class DiscordUnavailableError(BotError):
    """Discord did not answer."""


class DeliveryError(BotError):
    """A message did not arrive by one route."""


class TransientError(DeliveryError):
    """Discord or the network failed; the same attempt can work later."""


class FilesTooLargeError(DeliveryError):
    """The place does not take files of this size."""


class UploadTimeoutError(DeliveryError):
    """The files were not uploaded in time."""


class PageError(BotError):
    """A page cannot be shown.

    Args:
        status: HTTP status of the answer.
        key: Key of the text that says why.

    """

    def __init__(self, status: HTTPStatus, key: str) -> None:
        super().__init__(key, hint="")
        self.status = status
        self.key = key


class ResultPendingError(PageError):
    """The job of a page still runs.

    Args:
        title: Name of the clip.
        progress: How far the job is.

    """

    def __init__(self, title: str, progress: JobProgress) -> None:
        super().__init__(HTTPStatus.CONFLICT, "page-pending")
        self.title = title
        self.progress = progress


class PortError(BotError):
    """The web server cannot listen on its address."""

    default_hint = "Set STEMCORD_WEB_HOST and STEMCORD_WEB_PORT to a free address of this machine."


class SecretError(BotError):
    """The secret that signs links cannot be read or written."""

    default_hint = "Set STEMCORD_SECRET, or set STEMCORD_HOME to a folder that can be written to."


class StartError(BotError):
    """The bot cannot start.

    Args:
        message: What is wrong, one sentence.
        hint: What to do; the type's own hint when it is None.
        detail: For the log.
        code: Exit code.

    """

    default_hint = ""

    def __init__(self, message: str, *, hint: str | None = None, detail: str = "", code: int = 1) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.code = code
