-- Of owners who held `held` when a stretch of time ended: when in it they last began to, if they did, and what they
-- held when it began.
WITH changes AS (%(changes)s),
walked AS (
    SELECT owner, at, change, o.held,
           o.held - SUM(change) OVER (PARTITION BY owner ORDER BY at DESC, place DESC, id DESC) AS before
      FROM changes JOIN unnest(%(owners)s::bigint[], %(helds)s::numeric[]) AS o(owner, held) USING (owner)
)
SELECT owner, MAX(at) FILTER (WHERE sign(before) <> sign(held)), held - SUM(change) FROM walked GROUP BY owner, held
