"""Answers that a test asks the fake to give instead of the true one."""

import re
from dataclasses import dataclass, field

from tests.wire.recorder import Exchange
from tests.wire.shapes import Json


@dataclass(slots=True, kw_only=True)
class Fault:
    """What to answer, and how often; status 0 only delays the true answer."""

    method: str
    path: str
    """Regular expression that the path must contain."""
    status: int = 0
    code: int = 0
    message: str = ""
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay: float = 0.0
    times: int = 1
    only_with_files: bool = False
    after: bool = False
    """Whether the request is carried out all the same, and only its answer is lost."""


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Asks for a fault; its `times` counts down as it happens."""
        self._waiting.append(fault)
        return fault

    def too_large(self, method: str, path: str, *, times: int = 1) -> Fault:
        """The answer to a body that is larger than the place allows."""
        return self.add(
            Fault(
                method=method,
                path=path,
                status=413,
                code=40005,
                message="Request entity too large",
                times=times,
                only_with_files=True,
            )
        )

    def rate_limited(self, method: str, path: str, *, wait: float, times: int = 1) -> Fault:
        """The answer to a request that came too soon."""
        body: Json = {"message": "You are being rate limited.", "retry_after": wait, "global": False, "code": 0}
        headers = {"Retry-After": str(wait), "Via": "1.1 google"}
        return self.add(Fault(method=method, path=path, status=429, body=body, headers=headers, times=times))

    def unavailable(self, method: str, path: str, *, status: int = 503, times: int = 1) -> Fault:
        """The answer of a service that is down."""
        return self.add(Fault(method=method, path=path, status=status, message="upstream error", times=times))

    def lose_answer(self, method: str, path: str, *, status: int = 503, delay: float = 0.0, times: int = 1) -> Fault:
        """The request is carried out, but the answer, after so many seconds, says that it was not."""
        return self.add(
            Fault(
                method=method,
                path=path,
                status=status,
                message="upstream error",
                delay=delay,
                times=times,
                after=True,
            )
        )

    def refuse(self, method: str, path: str, *, code: int, message: str, times: int = 1000) -> Fault:
        """The answer where somebody does not let the bot in."""
        return self.add(Fault(method=method, path=path, status=403, code=code, message=message, times=times))

    def find(self, exchange: Exchange) -> Fault | None:
        """The fault that a request meets, counted down."""
        for fault in self._waiting:
            if fault.times > 0 and fault.method == exchange.method and re.search(fault.path, exchange.path):
                if fault.only_with_files and not exchange.uploads:
                    continue
                fault.times -= 1
                return fault
        return None
