-- What each owner got of the funding that was paid in a period; in the quote currency of what was held.
SELECT p.account_id, s.strategy, i.quote, SUM(s.amount)
  FROM exchanges_fundingshare s
  JOIN exchanges_fundingpayment p ON p.id = s.payment_id
  JOIN exchanges_instrument i ON i.id = p.instrument_id
 WHERE p.paid_at >= %(start)s AND p.paid_at < %(end)s AND p.account_id = ANY(%(accounts)s)
   AND (%(strategy)s::text IS NULL OR s.strategy = %(strategy)s)
 GROUP BY p.account_id, s.strategy, i.quote
