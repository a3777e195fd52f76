-- What each owner traded on each account in a period, by currency: one row each, however many fills there were.
SELECT f.account_id, f.strategy, i.quote,
       COUNT(*), SUM(f.quantity * f.price), COALESCE(SUM(f.quantity * f.price) FILTER (WHERE f.liquidity = 'maker'), 0),
       SUM(f.realised), SUM(f.fee), SUM(f.slippage),
       COALESCE(SUM(f.quantity * f.price) FILTER (WHERE f.slippage IS NOT NULL), 0)
  FROM exchanges_fill f JOIN exchanges_instrument i ON i.id = f.instrument_id
 WHERE f.time_exchange >= %(start)s AND f.time_exchange < %(end)s AND f.account_id = ANY(%(accounts)s)
   AND (%(strategy)s::text IS NULL OR f.strategy = %(strategy)s)
 GROUP BY f.account_id, f.strategy, i.quote
