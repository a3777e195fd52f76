-- Whatever an account bought or sold, or held before its books began, and the funding it was paid; each asset together.
WITH events AS (
    SELECT f.account_id, f.instrument_id, f.time_exchange AS at, 1 AS place, f.id, 'trade' AS line,
           CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END AS quantity, f.quantity * f.price AS notional,
           f.fee, f.venue_trade_id AS reference
      FROM exchanges_fill f WHERE f.time_exchange < %(end)s
    UNION ALL
    SELECT m.account_id, m.instrument_id, m.at, 0, m.id, 'trade', m.quantity, abs(m.cost), 0, 'before the books'
      FROM exchanges_positionmove m WHERE m.giver = '' AND m.at < %(end)s
    UNION ALL
    SELECT p.account_id, p.instrument_id, p.paid_at, 2, p.id, 'funding', p.position_quantity, p.amount, 0, ''
      FROM exchanges_fundingpayment p WHERE p.paid_at >= %(start)s AND p.paid_at < %(end)s
)
SELECT a.code, i.asset, i.quote, a.currency, i.venue_id || ':' || i.symbol, e.line, e.at, e.quantity, e.notional, e.fee,
       e.reference
  FROM events e
  JOIN exchanges_account a ON a.id = e.account_id
  JOIN exchanges_instrument i ON i.id = e.instrument_id
 WHERE %(account)s::text IS NULL OR a.code = %(account)s
 ORDER BY a.code, i.asset, i.quote, e.at, e.place, e.id
