"""Whether a scope has been stopped already, by anybody."""

from __future__ import annotations

from apps.exchanges.models import TradingMode, TradingState, Veto
from apps.risk.scope import ScopeId


def is_stopped(scope: ScopeId) -> bool:
    """Return whether a scope is halted with its flattening already ordered: one veto per breach."""
    state = _halted_state(scope)
    if state is None:
        return False
    ordered = Veto.objects.filter(scope_kind=scope[0], scope_key=scope[1], epoch=state.epoch, flatten=True)
    # What leaves a part of each position is no flattening.
    return ordered.filter(keep_share=0).exists()


def is_halted(scope: ScopeId) -> bool:
    """Return whether a scope's own row says HALTED."""
    return _halted_state(scope) is not None


def _halted_state(scope: ScopeId) -> TradingState | None:
    kind, key = scope
    return TradingState.objects.filter(scope_kind=kind, scope_key=key, mode=TradingMode.HALTED).first()
