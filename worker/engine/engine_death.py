"""Says why an engine ended on its own."""

import signal
from pathlib import Path

from pipeline.errors import DiskFullError, EngineDiedError
from worker.engine.process_group import MAX_PROCESSES
from worker.store.disk_space import disk_full_error, is_disk_full


def describe_death(
    stage: str, exit_code: int | None, detail: str, *, overgrown: bool, scratch: Path
) -> EngineDiedError | DiskFullError:
    """Return the error for a stage whose engine ended.

    Args:
        stage: Name of the stage.
        exit_code: Of the engine; negative for a signal.
        detail: The last lines of its log.
        overgrown: Whether it was ended because it had too many processes.
        scratch: Where it wrote its files, which are still there.
    """
    if overgrown:
        message = f"The engine was stopped in the step {stage}: it had more than {MAX_PROCESSES} processes."
        return EngineDiedError(message, detail=detail, stage=stage)
    if is_disk_full(None, scratch):
        # Such as by SIGBUS, when a file that is mapped into memory cannot grow.
        return disk_full_error(detail, stage)
    if exit_code == -signal.SIGKILL:
        return EngineDiedError(
            f"The engine was killed in the step {stage}, most likely because memory ran out.",
            hint="Send a shorter clip, or give the worker more memory.",
            detail=detail,
            stage=stage,
        )
    return EngineDiedError(f"The engine crashed in the step {stage}.", detail=detail, stage=stage)
