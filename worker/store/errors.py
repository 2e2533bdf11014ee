"""Translates the errors of file systems and clouds to `StoreError`."""

from collections.abc import Generator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from pipeline.errors import DiskFullError, StoreError
from worker.telemetry.current import current_metrics


@contextmanager
def store_errors(asked: str) -> Generator[None]:
    """Raise `StoreError` for any error in the block.

    Args:
        asked: Completes "The store was …" in the message.
    """
    try:
        with _translated(asked):
            yield
    except StoreError as error:
        if (metrics := current_metrics()) is not None:
            metrics.count_store_error(type(error).__name__)
        raise


@contextmanager
def _translated(asked: str) -> Generator[None]:
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as error:
        raise StoreError(
            f"The store was {asked}, but the file is not there.", hint="Send the clip again.", detail=repr(error)
        ) from error
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise StoreError(
            f"The store was {asked}, but refuses access.", hint="Check the store's rights.", detail=repr(error)
        ) from error
    except (BaseError, OSError, TimeoutError, ValueError) as error:
        if "No space left" in str(error) or "StorageFull" in str(error):
            raise DiskFullError(
                f"The store was {asked}, but its disk is full.",
                hint="Make room on the store's disk.",
                detail=str(error),
            ) from error
        raise StoreError(f"The store was {asked}, but is away.", detail=repr(error)) from error
