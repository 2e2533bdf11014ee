"""The count of requests for which Discord bans an address."""

from bot.http_metrics import FIRST_WARNING, INVALID_WINDOW_S, InvalidRequests


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_operator_is_told_at_the_first_hundred_and_at_each_doubling() -> None:
    invalid = InvalidRequests(Clock())
    told = [count for _ in range(10 * FIRST_WARNING) if (count := invalid.note(403, None)) is not None]
    assert told == [100, 200, 400, 800]


def test_what_discord_does_not_count_is_not_counted() -> None:
    invalid = InvalidRequests(Clock())
    answers = [(200, None), (404, None), (429, "shared"), (500, None)]
    assert all(invalid.note(*answer) is None for answer in answers * FIRST_WARNING)
    assert [invalid.note(429, "user") for _ in range(FIRST_WARNING)][-1] == FIRST_WARNING


def test_old_ones_are_forgotten_and_a_new_wave_is_told_again() -> None:
    clock = Clock()
    invalid = InvalidRequests(clock)
    assert [invalid.note(401, None) for _ in range(FIRST_WARNING)][-1] == FIRST_WARNING
    clock.now = INVALID_WINDOW_S + 1
    told = [count for _ in range(FIRST_WARNING) if (count := invalid.note(401, None)) is not None]
    assert told == [FIRST_WARNING]
