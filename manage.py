#!/usr/bin/env python
"""Run Django's command line on the development settings unless told otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

from moondev.logs import log_context


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")
    with log_context(command=" ".join(sys.argv[1:3])):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
