"""What can go wrong with a private server."""


class ServiceError(Exception):
    """A server could not be found, installed or started; the message says what to do."""
