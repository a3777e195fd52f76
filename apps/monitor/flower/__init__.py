"""Flower, the page of Celery's workers and tasks, behind the login of the admin."""
