-- What became of the orders that were sent in a period and have ended.
SELECT account_id, strategy, COUNT(*), COUNT(*) FILTER (WHERE filled_quantity > 0),
       SUM(LEAST(filled_quantity / quantity, 1))
  FROM exchanges_order
 WHERE created_at >= %(start)s AND created_at < %(end)s AND account_id = ANY(%(accounts)s)
   AND sent_at IS NOT NULL AND status = ANY(%(final)s)
   AND (%(strategy)s::text IS NULL OR strategy = %(strategy)s)
 GROUP BY account_id, strategy
