"""The ground floor: settings, the Celery app and the pure vocabulary in ``moondev.domain``.

Nothing is imported here on purpose: the mock exchange uses ``moondev.domain`` without Django or Celery.
"""
