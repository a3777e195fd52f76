"""The mock venue's engine: books, matching, accounts, funding and market feeds. Pure Python.

It speaks no venue's protocol: the wires under ``apps/exchanges/mock/wire`` translate. Amounts are
exact: Decimal at the edges, integers of the smallest unit inside.
"""
