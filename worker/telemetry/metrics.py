"""The metrics of the bot and the workers, by Prometheus' client; imported only when metrics are on."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from worker.queue.statistics import QueueStatistics

STAGE_BUCKETS_S: Final = (0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
WAIT_BUCKETS_S: Final = (0.1, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
ACKNOWLEDGEMENT_BUCKETS_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3)
"""Discord waits three seconds."""


class Metrics:
    """What one process counts and measures; labels never hold anything personal."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self._queue_oldest = gauge("stemcord_queue_oldest_seconds", "Age of the oldest job that waits, or 0.", ["kind"])
        self._queue_jobs = gauge("stemcord_queue_jobs", "Jobs by how they stand.", ["kind", "status"])
        self._workers = gauge("stemcord_workers", "Live workers.", ["kind"])
        self._alive = gauge("stemcord_alive_timestamp_seconds", "When the event loop last gave a sign of life.")
        self._attempts = counter("stemcord_attempts", "Attempts by how they ended.", ["kind", "outcome"])
        self._dead_letters = counter("stemcord_dead_letters", "Jobs that were put aside.", ["kind"])
        wait = "Time from a job's submission to its first attempt."
        self._job_wait = histogram("stemcord_job_wait_seconds", wait, buckets=WAIT_BUCKETS_S)
        stage = "Time inside the engine, by stage and the model that did it."
        self._stage_seconds = histogram("stemcord_stage_seconds", stage, ["stage", "engine"], buckets=STAGE_BUCKETS_S)
        self._stage_failures = counter("stemcord_stage_failures", "Stages that failed, by error.", ["stage", "error"])
        self._stages_reused = counter("stemcord_stages_reused", "Results of stages from the store.", ["stage"])
        self._engine_memory = gauge("stemcord_engine_memory_bytes", "Resident memory of engines.", ["engine"])
        vram = "Memory of the card that torch held at most during the engine's last stage."
        self._engine_vram = gauge("stemcord_engine_vram_peak_bytes", vram, ["engine"])
        answers = "Discord's answers by status; none: there was no answer."
        self._discord_answers = counter("stemcord_discord_answers", answers, ["method", "code"])
        answered = "Time from an interaction's arrival to Discord's word that it is answered."
        self._acknowledgement = histogram(
            "stemcord_acknowledgement_seconds", answered, buckets=ACKNOWLEDGEMENT_BUCKETS_S
        )
        self._store_errors = counter("stemcord_store_errors", "Errors of the store, by type.", ["error"])
        self._deliveries = counter("stemcord_deliveries", "Jobs by whether their end was shown.", ["shown"])
        # increase() does not see the first event of a series that begins with it.
        for kind in ("media", "asr", "part"):
            self._dead_letters.labels(kind)
        self._store_errors.labels("StoreError")

    def note_alive(self) -> None:
        """Note that the event loop runs."""
        self._alive.set_to_current_time()

    def note_queue(self, statistics: QueueStatistics) -> None:
        """Set the gauges of the queue and the workers."""
        for kind, state in statistics.queues.items():
            self._queue_oldest.labels(kind).set(state.oldest_waiting_s)
            for status, count in (("queued", state.queued), ("running", state.running), ("dead", state.dead)):
                self._queue_jobs.labels(kind, status).set(count)
            if kind != "part":
                # Its workers are those of media.
                self._workers.labels(kind).set(state.workers)

    def count_attempt(self, kind: str, outcome: str) -> None:
        """Count an attempt by how it ended; `dead` also counts as a dead letter."""
        self._attempts.labels(kind, outcome).inc()
        if outcome == "dead":
            self._dead_letters.labels(kind).inc()

    def observe_wait(self, seconds: float) -> None:
        """Note how long a job waited for its first attempt."""
        self._job_wait.observe(max(seconds, 0.0))

    def observe_stage(self, stage: str, engine: str, seconds: float) -> None:
        """Note how long an engine worked on a stage."""
        self._stage_seconds.labels(stage, engine).observe(seconds)

    def count_stage_failure(self, stage: str, error: str) -> None:
        """Count a stage that failed, by the name of the error's type."""
        self._stage_failures.labels(stage, error).inc()

    def count_reused(self, stage: str) -> None:
        """Count a result that the store had."""
        self._stages_reused.labels(stage).inc()

    def set_engine_memory(self, engine: str, memory_bytes: int) -> None:
        """Set what an engine's processes hold in memory."""
        self._engine_memory.labels(engine).set(memory_bytes)

    def set_engine_vram(self, engine: str, peak_bytes: int) -> None:
        """Set what an engine held at most on its card during its last stage."""
        self._engine_vram.labels(engine).set(peak_bytes)

    def count_discord_answer(self, method: str, code: str) -> None:
        """Count an answer of Discord."""
        self._discord_answers.labels(method, code).inc()

    def observe_acknowledgement(self, seconds: float) -> None:
        """Note how soon an interaction was answered."""
        self._acknowledgement.observe(seconds)

    def count_store_error(self, error: str) -> None:
        """Count an error of the store by the name of its type."""
        self._store_errors.labels(error).inc()

    def count_delivery(self, *, shown: bool) -> None:
        """Count a job whose end was shown, or could not be."""
        self._deliveries.labels("yes" if shown else "no").inc()


@contextmanager
def serve_metrics(metrics: Metrics, host: str, port: int) -> Generator[None]:
    """Show metrics on `http://host:port/metrics`, by a thread of its own, until the block ends.

    Raises:
        OSError: The port is taken.
    """
    server, thread = start_http_server(port, host, metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
