"""A client of a Chronos server: submit jobs, and work on those that wait in queues.

Standard library only. Threads: a Client may be used by several; a Worker runs its handler on threads of
its own.
"""
from .client import Client
from .errors import ChronosError, RetryLater
from .worker import Run, Worker

__all__ = ["ChronosError", "Client", "RetryLater", "Run", "Worker"]
