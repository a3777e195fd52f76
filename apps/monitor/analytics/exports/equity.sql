SELECT s.kind || ':' || s.key, p.at, p.equity, p.funded, p.growth, p.run
  FROM risk_equityscope s JOIN risk_equitypoint p ON p.scope_id = s.id
 WHERE s.kind <> 'rate' AND p.at >= %(start)s AND p.at < %(end)s
   AND (%(account)s::text IS NULL OR (s.kind = 'account' AND s.key = %(account)s))
   AND (%(strategy)s::text IS NULL OR (s.kind = 'strategy' AND s.key = %(strategy)s))
 ORDER BY s.kind, s.key, p.at
