"""Hide that the brokers disagree about what a high priority is.

Callers speak of urgency: 0 is ordinary, 9 overtakes everything. RabbitMQ delivers the highest number first,
kombu's Redis transport the lowest (https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html).
"""

MAX_URGENCY = 9


def is_redis(broker_url: str) -> bool:
    """Return whether the broker behind the URL is Redis."""
    return broker_url.partition("://")[0] in {"redis", "rediss"}


def broker_priority(urgency: int, broker_url: str) -> int:
    """Return the number that makes the broker treat a message as ``urgency`` (0 to 9, 9 first) says.

    Raises:
        ValueError: the urgency is outside 0..9.
    """
    if not 0 <= urgency <= MAX_URGENCY:
        raise ValueError(f"urgency={urgency}: allowed is 0 (ordinary) to {MAX_URGENCY} (first)")
    return MAX_URGENCY - urgency if is_redis(broker_url) else urgency
