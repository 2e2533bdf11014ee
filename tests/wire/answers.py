"""What the bot answered, as the tests of commands, buttons and forms look for it."""

from collections.abc import Callable

from bot.i18n.translator import LOCALES, Translator
from tests.wire.light import LightStack
from tests.wire.objects import Interaction, Message
from tests.wire.stack import Stack

CHINESE = "zh-CN"
JOB_LIMIT = 420.0
"""Seconds; two cores may be shared with others."""
FAILED = ("could not be processed", "无法处理")


def answers(stack: Stack | LightStack, interaction: Interaction) -> list[Message]:
    """The private answers to what a person did."""
    return [m for m in stack.fake.messages if m.ephemeral and m.interaction is interaction and not m.loading]


async def private(stack: Stack | LightStack, interaction: Interaction, limit: float = 10.0) -> Message:
    """The private answer, once it says something; there is one and no more."""
    unsettled = ("", *(Translator(locale).format("not-done") for locale in LOCALES))

    def settled() -> bool:
        return any(m.text not in unsettled for m in answers(stack, interaction))

    await stack.fake.wait(settled, limit, "a private answer")
    (answer,) = answers(stack, interaction)
    return answer


async def shows(
    stack: Stack | LightStack, message: Message | None, condition: Callable[[Message], bool], limit: float
) -> Message:
    """The message once the condition holds for it."""
    assert message is not None
    try:
        await stack.fake.wait(lambda: condition(message), limit, "what a message is to show")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{stack.report()}") from None
    return message


async def result_of(stack: Stack, interaction: Interaction, limit: float = JOB_LIMIT) -> Message:
    """The public message of a job once it has its files, in whatever language; a failure fails at once."""
    assert interaction.original is not None, stack.report()
    assert not interaction.original.ephemeral, interaction.original.text
    ended = lambda m: bool(m.files) or any(word in m.text for word in FAILED)  # noqa: E731
    message = await shows(stack, interaction.original, ended, limit)
    assert message.files, f"{stack.fake.summary()}\n{stack.report()}"
    return message


def id_for(message: Message, action: str) -> str:
    """The custom id of the button or menu that does something, of whatever job."""
    ids = [key for key in (*message.buttons, *message.menus) if key.startswith(f"stemcord:{action}:")]
    assert len(ids) == 1, f"{action} is not once among {[*message.buttons, *message.menus]}"
    return ids[0]


def in_chinese(key: str, **values: str | int) -> str:
    """A sentence of the bot as people read it who have Discord in Chinese."""
    return Translator(CHINESE).format(key, **values)


def is_chinese(text: str) -> bool:
    """Whether there are Chinese letters and no English sentence in it."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
