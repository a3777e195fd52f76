"""What Flower is told (``celery flower --conf=…``): a command line is everybody's to read, a file of ours is not.

What stands here wins over FLOWER_ variables of the environment.
"""

from apps.monitor.flower.place import PREFIX, USER, flower_place, flower_secret

_place = flower_place()
url_prefix = PREFIX.strip("/")
# Guards all but /metrics and /healthcheck, which Flower leaves open: those are guarded by who can reach it at all.
basic_auth = [f"{USER}:{flower_secret()}"]
if _place.socket is None:
    port = _place.port
else:
    # Flower lets everybody write to its socket, so the folder is ours alone.
    _place.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _place.socket.parent.chmod(0o700)
    unix_socket = str(_place.socket)
