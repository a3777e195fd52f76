-- Owners who held something when the period began and were flat, or on the other side, at some moment within it.
WITH changes AS MATERIALIZED (%(changes)s),
begun AS (
    SELECT c.owner, o.quantity - SUM(c.change) AS held
      FROM changes c JOIN exchanges_position o ON o.id = c.owner GROUP BY c.owner, o.quantity
    HAVING o.quantity <> SUM(c.change)
),
walked AS (
    SELECT owner, b.held, b.held + SUM(c.change) OVER (PARTITION BY owner ORDER BY at, place, id) AS after
      FROM begun b JOIN changes c USING (owner) WHERE c.at < %(until)s
)
SELECT owner, held FROM walked GROUP BY owner, held HAVING MIN(after * sign(held)) <= 0
