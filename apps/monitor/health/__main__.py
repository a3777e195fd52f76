"""``python -m apps.monitor.health NAME``: the probe of a container, in a tenth of the time of ``manage.py health``."""

from __future__ import annotations

import sys

from apps.monitor.health.local import lives, look_at_local
from moondev.domain.clock import LiveClock
from moondev.settings.env import PROJECT_ROOT, env_path

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m apps.monitor.health NAME, such as ticks or stream-market-hyperliquid")
    # As moondev/settings/base.py says; its other settings are not needed to read a file.
    folder = env_path("MOONDEV_RUN_DIR", default=PROJECT_ROOT / ".run") / "beats"
    found = look_at_local(sys.argv[1], folder, LiveClock().now())
    sys.stdout.write(f"{found.component} {found.state} {found.detail}\n")
    sys.exit(0 if lives(found) else 1)
