"""Private PostgreSQL, Redis and RabbitMQ servers for one checkout, without systemd.

Standard library only: ``docker/services`` runs it before a virtual environment exists.
"""
