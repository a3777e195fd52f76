SELECT a.code, p.strategy, i.venue_id || ':' || i.symbol, i.quote, p.quantity, p.cost, p.realised, p.fees, p.funding,
       a.currency, p.slippage, p.opened_at, p.updated_at
  FROM exchanges_position p
  JOIN exchanges_account a ON a.id = p.account_id
  JOIN exchanges_instrument i ON i.id = p.instrument_id
 WHERE (%(account)s::text IS NULL OR a.code = %(account)s)
   AND (%(strategy)s::text IS NULL OR p.strategy = %(strategy)s)
   -- The period is taken, as by every export, and means nothing: it is now.
   AND %(start)s::timestamptz < %(end)s::timestamptz
 ORDER BY a.code, p.strategy, i.venue_id, i.symbol
