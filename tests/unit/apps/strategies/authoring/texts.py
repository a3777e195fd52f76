"""Texts of small strategies."""

IDEA = '''"""Holds a weight."""
from types import MappingProxyType
from apps.strategies.base import Decision, Parameters, Strategy
from moondev.domain.desired import Target
from moondev.domain.market_data import Needs
{imports}

class HolderParameters(Parameters):
    weight: float = 0.1
    {field}

class Holder(Strategy[HolderParameters]):
    name = "{name}"
    parameters = HolderParameters
    presets = MappingProxyType({{"plain": HolderParameters()}})

    def needs(self, params, instruments):
        return Needs(tuple(i.key for i in instruments), {needs}, book=True)

    def decide(self, view, own, params, state, instruments):
        {decide}
        return Decision(tuple(Target(key, params.weight, "s", "{tag}") for key in instruments))
'''


def idea(name="holder", *, imports="", field="", needs="{}", decide="", tag="first"):
    """Return the text of a strategy that holds a weight of everything."""
    return IDEA.format(name=name, imports=imports, field=field, needs=needs, decide=decide, tag=tag)
