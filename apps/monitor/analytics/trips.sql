-- Round trips: what one owner (account, strategy, instrument) opened, added to, reduced and closed between flat and flat.
-- Fills, positions that changed hands (at their cost) and funding are one row of events; a fill through zero is split in
-- two, its fee and slippage in proportion. What is rounded off one half is in the other, so that sums stay exact.
WITH changes AS MATERIALIZED (%(changes)s),
-- What each owner held when the look begins: what is held now less everything since.
begun AS (
    SELECT c.owner, o.quantity - SUM(c.change) AS held
      FROM changes c JOIN exchanges_position o ON o.id = c.owner GROUP BY c.owner, o.quantity
),
events AS (
    SELECT * FROM changes WHERE at < %(until)s
    UNION ALL
    -- Before trades of the same moment: funding is paid on what was held until then.
    SELECT o.id, p.paid_at, 0, s.id, 0, NULL, 0, 0, NULL, 0, s.amount, false
      FROM exchanges_fundingshare s
      JOIN exchanges_fundingpayment p ON p.id = s.payment_id
      JOIN exchanges_position o
        ON o.account_id = p.account_id AND o.strategy = s.strategy AND o.instrument_id = p.instrument_id
     WHERE p.paid_at >= %(since)s AND p.paid_at < %(until)s AND p.account_id = ANY(%(accounts)s)
       AND (%(strategy)s::text IS NULL OR s.strategy = %(strategy)s)
),
held AS (
    SELECT e.*, COALESCE(b.held, 0) + SUM(e.change) OVER (PARTITION BY owner ORDER BY e.at, e.place, e.id) AS after
      FROM events e LEFT JOIN begun b USING (owner)
),
turns AS (
    SELECT *, after - change AS before, (after - change < 0 AND after > 0) OR (after - change > 0 AND after < 0) AS turned
      FROM held
),
numbered AS (
    SELECT *, COUNT(*) FILTER (WHERE before <> 0 AND (after = 0 OR turned))
                  OVER (PARTITION BY owner ORDER BY at, place, id) AS ended
      FROM turns
),
halves AS (
    SELECT owner, at, before <> 0 AND (after = 0 OR turned) AND half = 1 AS ends, traded,
           -- An event that ends a trip belongs to it; the other half of one that turns begins the next.
           ended - (before <> 0 AND (after = 0 OR turned) AND half = 1)::int AS trip,
           CASE WHEN before <> 0 AND half = 1 THEN sign(before) ELSE sign(after) END AS toward,
           CASE WHEN NOT turned THEN change WHEN half = 1 THEN -before ELSE after END AS change,
           CASE WHEN NOT turned THEN paid WHEN half = 1 THEN -before * price ELSE after * price END AS paid,
           CASE WHEN NOT turned THEN fee WHEN half = 1 THEN round(fee * abs(before / change), 12)
                ELSE fee - round(fee * abs(before / change), 12) END AS fee,
           CASE WHEN NOT turned THEN slippage WHEN half = 1 THEN round(slippage * abs(before / change), 12)
                ELSE slippage - round(slippage * abs(before / change), 12) END AS slippage,
           CASE WHEN half = 1 THEN realised ELSE 0 END AS realised, funding
      FROM numbered CROSS JOIN LATERAL generate_series(1, 1 + turned::int) AS half
     -- Funding that came while nothing was held belongs to no trip.
     WHERE change <> 0 OR before <> 0
),
trips AS (
    SELECT owner, trip, bool_or(ends) AS closed, MAX(toward) AS sign,
           MIN(at) FILTER (WHERE change <> 0) AS opened_at, MAX(at) FILTER (WHERE ends) AS closed_at,
           COALESCE(SUM(change) FILTER (WHERE change > 0), 0) AS bought,
           COALESCE(SUM(paid) FILTER (WHERE change > 0), 0) AS bought_for,
           COALESCE(-SUM(change) FILTER (WHERE change < 0), 0) AS sold,
           COALESCE(-SUM(paid) FILTER (WHERE change < 0), 0) AS sold_for,
           SUM(realised) AS realised, SUM(fee) AS fees, SUM(funding) AS funding,
           SUM(slippage) AS slippage, COUNT(*) FILTER (WHERE traded) AS fills
      FROM halves GROUP BY owner, trip
)
SELECT o.account_id, o.strategy, i.venue_id || ':' || i.symbol AS instrument, i.quote, t.closed, t.sign,
       t.opened_at, t.closed_at,
       t.bought, t.bought_for, t.sold, t.sold_for, t.realised, t.fees, t.funding, t.slippage, t.fills
  FROM trips t
  JOIN exchanges_position o ON o.id = t.owner
  JOIN exchanges_instrument i ON i.id = o.instrument_id
