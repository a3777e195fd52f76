-- Whatever changed a position: fills, and what one owner handed to another at its cost. `owner` is the position's row.
SELECT o.id AS owner, f.time_exchange AS at, 1 AS place, f.id,
       CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END AS change, f.price,
       CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END * f.price AS paid,
       f.fee, f.slippage, f.realised, 0::numeric AS funding, true AS traded
  FROM exchanges_fill f
  JOIN exchanges_position o
    ON o.account_id = f.account_id AND o.strategy = f.strategy AND o.instrument_id = f.instrument_id
 WHERE f.time_exchange >= %(since)s AND f.time_exchange < %(upto)s AND f.account_id = ANY(%(accounts)s)
   AND (%(strategy)s::text IS NULL OR f.strategy = %(strategy)s)
UNION ALL
SELECT o.id, m.at, 2, m.id, -m.quantity, NULL, -m.cost, 0, NULL, 0, 0, false
  FROM exchanges_positionmove m
  JOIN exchanges_position o
    ON o.account_id = m.account_id AND o.strategy = m.giver AND o.instrument_id = m.instrument_id
 WHERE m.at >= %(since)s AND m.at < %(upto)s AND m.account_id = ANY(%(accounts)s)
   AND (%(strategy)s::text IS NULL OR m.giver = %(strategy)s)
UNION ALL
SELECT o.id, m.at, 3, m.id, m.quantity, NULL, m.cost, 0, NULL, 0, 0, false
  FROM exchanges_positionmove m
  JOIN exchanges_position o
    ON o.account_id = m.account_id AND o.strategy = m.taker AND o.instrument_id = m.instrument_id
 WHERE m.at >= %(since)s AND m.at < %(upto)s AND m.account_id = ANY(%(accounts)s)
   AND (%(strategy)s::text IS NULL OR m.taker = %(strategy)s)
