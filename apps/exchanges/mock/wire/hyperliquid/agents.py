"""Agent wallets: keys that trade for a master account and hold nothing themselves.

Rules as documented at https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (exchange
endpoint, "Approve an API wallet") and as answered by the testnet: one unnamed and three named
agents, 90 days unless the name ends in " valid_until <ms>", at most 180 days, the zero address
removes, and an address is never taken twice. The venue prunes an expired agent lazily; here it
stops at once, which is the stricter reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchanges.mock.wire.hyperliquid.numbers import read_address

_ZERO = "0x" + "0" * 40
_DAY_MS = 86_400_000
_DEFAULT_LIFE_MS = 90 * _DAY_MS
_LONGEST_LIFE_MS = 180 * _DAY_MS
_REMOVAL_MS = 5_000
_LONGEST_NAME = 16
_NAMED = 3
_SUFFIX = " valid_until "


class AgentRefusedError(Exception):
    """Carry the venue's sentence for an approval it does not grant."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A key that may trade for `master` until `valid_until` (ms)."""

    address: str
    master: str
    name: str
    valid_until: int


class AgentBook:
    """Who may sign for whom."""

    def __init__(self) -> None:
        """Start with no agent approved."""
        self._by_address: dict[str, Agent] = {}
        self._by_master: dict[str, dict[str, Agent]] = {}
        self._spent: set[str] = set()
        self._removed_at: dict[str, int] = {}

    def approve(self, master: str, agent_address: str, raw_name: str, now_ms: int) -> str | None:
        """Let `agent_address` sign for `master`; the zero address removes the agent of that name.

        Returns the address that lost its right by this, if any. Raises AgentRefusedError.
        """
        name, valid_until = _read_name(raw_name, now_ms)
        if now_ms - self._removed_at.get(master, -_REMOVAL_MS) < _REMOVAL_MS:
            raise AgentRefusedError("User has pending agent removal")
        address = read_address("agentAddress", agent_address)
        if address == _ZERO:
            self._removed_at[master] = now_ms
            return self._drop(master, name)
        self._check_free(master, address, name, now_ms)
        replaced = self._drop(master, name)
        agent = Agent(address, master, name, valid_until)
        self._by_address[address] = agent
        self._by_master.setdefault(master, {})[name] = agent
        self._spent.add(address)
        return replaced

    def master_of(self, address: str, now_ms: int) -> str | None:
        """Return the account for which `address` may sign at `now_ms`, or None."""
        agent = self._by_address.get(address)
        if agent is None or agent.valid_until <= now_ms:
            return None
        return agent.master

    def named(self, master: str) -> list[Agent]:
        """Return the named agents of `master`; the unnamed one is not listed, as at the venue."""
        return [agent for name, agent in self._by_master.get(master, {}).items() if name]

    def _check_free(self, master: str, address: str, name: str, now_ms: int) -> None:
        if address in self._spent or address == master:
            raise AgentRefusedError("Extra agent already used.")
        live = [agent for agent in self.named(master) if agent.valid_until > now_ms and agent.name != name]
        if name and len(live) >= _NAMED:
            raise AgentRefusedError(f"Too many extra agents for cumulative volume traded. Current limit is {_NAMED}")

    def _drop(self, master: str, name: str) -> str | None:
        old = self._by_master.get(master, {}).pop(name, None)
        if old is None:
            return None
        del self._by_address[old.address]
        return old.address


def _read_name(raw: str, now_ms: int) -> tuple[str, int]:
    name, found, stamp = raw.rpartition(_SUFFIX)
    if not found:
        name, valid_until = raw, now_ms + _DEFAULT_LIFE_MS
    elif stamp.isdigit() and now_ms < int(stamp) <= now_ms + _LONGEST_LIFE_MS:
        valid_until = int(stamp)
    else:
        raise AgentRefusedError("Agent valid_until already expired.")
    if len(name) > _LONGEST_NAME:
        raise AgentRefusedError(f"Extra agent name too long: at most {_LONGEST_NAME} characters")
    return name, valid_until
