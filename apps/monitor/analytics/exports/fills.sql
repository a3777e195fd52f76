SELECT f.id, f.time_exchange, a.code, f.strategy, i.venue_id || ':' || i.symbol, i.quote, f.side, f.quantity, f.price,
       round(f.quantity * f.price, 12), f.fee, a.currency, f.realised, f.slippage, f.liquidity, f.kind, f.order_id,
       f.venue_trade_id, f.venue_order_id, f.time_received
  FROM exchanges_fill f
  JOIN exchanges_account a ON a.id = f.account_id
  JOIN exchanges_instrument i ON i.id = f.instrument_id
 WHERE f.time_exchange >= %(start)s AND f.time_exchange < %(end)s
   AND (%(account)s::text IS NULL OR a.code = %(account)s)
   AND (%(strategy)s::text IS NULL OR f.strategy = %(strategy)s)
 ORDER BY f.time_exchange, f.id
