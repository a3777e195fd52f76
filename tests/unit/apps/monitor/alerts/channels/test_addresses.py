"""Where notices may go: not to where clouds keep their machines' keys, however that is written."""

import pytest

from apps.monitor.alerts.channels.addresses import checked_url
from moondev.domain.errors import InvalidValue


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "169.254.169.254.", "[fe80::1]", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe"],
)
def test_no_address_of_the_local_link_is_posted_to(host):
    with pytest.raises(InvalidValue, match="local link"):
        checked_url("url", f"https://{host}/latest")


@pytest.mark.parametrize("host", ["hooks.example.com", "10.0.0.7", "[fd00::7]", "1.1.1.1"])
def test_others_are(host):
    assert checked_url("url", f"https://{host}/x") == f"https://{host}/x"
