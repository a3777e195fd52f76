SELECT o.id, o.created_at, a.code, o.strategy, i.venue_id || ':' || i.symbol, i.quote, o.side, o.order_type,
       o.time_in_force, o.purpose, o.quantity, o.price, o.trigger_price, o.arrival_price, o.status, o.filled_quantity,
       o.filled_notional, o.refusal_code, o.reason, o.client_order_id::text, o.venue_order_id, o.signal_id, o.sent_at,
       o.acknowledged_at, o.closed_at
  FROM exchanges_order o
  JOIN exchanges_account a ON a.id = o.account_id
  JOIN exchanges_instrument i ON i.id = o.instrument_id
 WHERE o.created_at >= %(start)s AND o.created_at < %(end)s
   AND (%(account)s::text IS NULL OR a.code = %(account)s)
   AND (%(strategy)s::text IS NULL OR o.strategy = %(strategy)s)
 ORDER BY o.created_at, o.id
