"""Asked at every tick: may this code with these parameters open positions with this money?"""

from __future__ import annotations

from apps.exchanges.models import Environment
from apps.strategies.models import Stage, StrategyRow
from apps.strategies.promotion.stages import may_trade


def why_not(row: StrategyRow, environment: Environment, code_hash: str) -> str:
    """Return why the strategy may only reduce; empty when it may open.

    On paper any code may run. With real money only what passed the gates: an edit of either the parameters or the code
    takes the right to open away until the new version has passed, and leaves the right to get out.
    """
    stage = Stage(row.stage)
    if not may_trade(stage, environment):
        return f"stage {stage.value} does not trade on a {environment.value} account"
    if environment is not Environment.LIVE:
        return ""
    if row.certified_version != row.parameters_version:
        return f"parameters version {row.parameters_version} has not passed the gates, {row.certified_version} has"
    if row.certified_hash != code_hash:
        return f"code {code_hash[:12]} has not passed the gates, {row.certified_hash[:12]} has"
    return ""
