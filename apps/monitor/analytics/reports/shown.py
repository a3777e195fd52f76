"""A kept report as a page of its own: the letter's picture put into it."""

from __future__ import annotations

import base64

from apps.monitor.analytics.reports.letter import CONTENT_ID
from apps.monitor.models import Report


def shown(report: Report) -> str:
    """Return the page of a report. All text in it was made inert when it was written."""
    picture = base64.b64encode(bytes(report.picture)).decode("ascii")
    return report.html.replace(f'src="cid:{CONTENT_ID}"', f'src="data:image/png;base64,{picture}"')
