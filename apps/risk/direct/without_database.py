"""Stop every account this machine knows from its file, with nothing of ours running."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from apps.exchanges.credentials.backends import EnvironmentBackend
from apps.exchanges.ports import Credentials
from apps.exchanges.registry import client_for
from apps.exchanges.short_ids import PassingShortIds
from apps.exchanges.throttling import Lane
from apps.risk.direct.accounts_file import DirectAccount, read_file
from apps.risk.direct.stop import DirectStop, Say, Tools
from apps.risk.vetoes import Closing
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)


def stop_without_database(*, closing: Closing | None, seconds: float, say: Say) -> bool:
    """Clear every account of the file, side by side; return whether all are clear.

    Positions are closed as `closing` says; None leaves them.

    Raises Configuration when there is no readable file.
    """
    accounts = read_file()
    if not accounts:
        say("the file names no account")
        return False
    tools = Tools(process_clock(), time.sleep, say)
    with ThreadPoolExecutor(max_workers=len(accounts), thread_name_prefix="stop") as pool:
        clear = list(pool.map(lambda account: _stop(account, tools, closing, seconds), accounts))
    return all(clear)


def _stop(account: DirectAccount, tools: Tools, closing: Closing | None, seconds: float) -> bool:
    """Clear one account; return whether it is clear. Nothing that goes wrong with it may hide another."""
    clear = False
    try:
        key = EnvironmentBackend().secret(account.secret_name)
        # Where a venue wants short numbers, what is cancelled here goes by the venue's own ids, and what flattens by
        # numbers of this process.
        client = client_for(account.venue, Credentials(account.address, key), PassingShortIds(), Lane.FOREMOST)
        clear = DirectStop(account, client, tools).run(closing=closing, seconds=seconds)
    except TradingError as error:
        tools.say(f"{account.code}: {error}")
    except Exception as error:
        logger.exception("account %s was not cleared", account.code)
        tools.say(f"{account.code}: {error!r}")
    tools.say(f"{account.code}: {'clear' if clear else 'NOT clear'}")
    return clear
