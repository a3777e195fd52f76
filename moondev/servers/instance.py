"""A server that is ready: where it is, and which processes it consists of."""

from dataclasses import dataclass

from moondev.servers.processes import Process


@dataclass(frozen=True, slots=True)
class Instance:
    """A ready server. ``processes`` are ended in the order given."""

    url: str
    processes: tuple[Process, ...]

    def stop(self) -> None:
        """End every process of the server."""
        for process in self.processes:
            process.stop()
