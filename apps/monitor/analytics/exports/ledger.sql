-- Of an account, the amounts of all entries add up to its cash: what its books say it is worth, but for open positions.
WITH entries AS (
    SELECT t.at, t.account_id, ''::varchar AS strategy, NULL::bigint AS instrument_id, 1 AS place, 'transfer' AS entry,
           NULL::numeric AS quantity, NULL::numeric AS price, t.amount, t.reference, t.id
      FROM exchanges_transfer t WHERE t.at >= %(start)s AND t.at < %(end)s
    UNION ALL
    SELECT p.paid_at, p.account_id, s.strategy, p.instrument_id, 2, 'funding', NULL, NULL, s.amount, '', s.id
      FROM exchanges_fundingshare s JOIN exchanges_fundingpayment p ON p.id = s.payment_id
     WHERE p.paid_at >= %(start)s AND p.paid_at < %(end)s
    UNION ALL
    SELECT f.time_exchange, f.account_id, f.strategy, f.instrument_id, 3, 'trade',
           CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END, f.price, f.realised, f.venue_trade_id, f.id
      FROM exchanges_fill f WHERE f.time_exchange >= %(start)s AND f.time_exchange < %(end)s
    UNION ALL
    SELECT f.time_exchange, f.account_id, f.strategy, f.instrument_id, 4, 'fee', NULL, NULL, -f.fee, f.venue_trade_id,
           f.id
      FROM exchanges_fill f WHERE f.time_exchange >= %(start)s AND f.time_exchange < %(end)s
    UNION ALL
    SELECT m.at, m.account_id, m.giver, m.instrument_id, 5, 'handed over', -m.quantity, NULL, 0, m.actor, m.id
      FROM exchanges_positionmove m WHERE m.giver <> '' AND m.at >= %(start)s AND m.at < %(end)s
    UNION ALL
    SELECT m.at, m.account_id, m.taker, m.instrument_id, 6, 'taken over', m.quantity, NULL, 0, m.actor, m.id
      FROM exchanges_positionmove m WHERE m.at >= %(start)s AND m.at < %(end)s
)
SELECT e.at, a.code, e.strategy, i.venue_id || ':' || i.symbol, e.entry, e.quantity, e.price, e.amount,
       CASE WHEN e.entry = 'trade' THEN i.quote ELSE a.currency END, e.reference, e.id
  FROM entries e
  JOIN exchanges_account a ON a.id = e.account_id
  LEFT JOIN exchanges_instrument i ON i.id = e.instrument_id
 WHERE (%(account)s::text IS NULL OR a.code = %(account)s)
   AND (%(strategy)s::text IS NULL OR e.strategy = %(strategy)s)
 ORDER BY e.at, e.place, e.id
