"""The queue of jobs on Redis: submit, lease, follow, cancel."""

from worker.queue.job_queue import Queue

__all__ = ["Queue"]
