-- Real JSON: the events of a dpkg.log, repeated up to so many records.  The file is in a
-- temporary table, dpkg_log.  Variable: records.

CREATE TABLE events AS
SELECT n, package AS key,
       -- each time they come at other times, so that no event is the copy of another
       jsonb_strip_nulls(jsonb_build_object('time', time + n / lines * interval '1 day 17.003 s', 'action', action,
           'package', package, 'arch', arch, 'state', state, 'old_version', old_version, 'version', version))::text AS value
FROM (SELECT count(*) AS lines FROM dpkg_log) AS c,
     generate_series(0, :records - 1) AS n,
     LATERAL (SELECT n % lines + 1 AS line_number) AS at
     JOIN (SELECT line_number, (w[1] || ' ' || w[2])::timestamptz AS time, w[3] AS action,
                  CASE w[3] WHEN 'status' THEN w[4] WHEN 'startup' THEN w[4] || ' ' || w[5] END AS state,
                  CASE w[3] WHEN 'startup' THEN NULL WHEN 'status' THEN w[5] ELSE w[4] END AS name,
                  CASE WHEN w[3] NOT IN ('startup', 'status') THEN nullif(w[5], '<none>') END AS old_version,
                  CASE WHEN w[3] <> 'startup' THEN nullif(w[6], '<none>') END AS version
           FROM dpkg_log, string_to_array(line, ' ') AS w) AS event USING (line_number),
     LATERAL (SELECT split_part(name, ':', 1) AS package, split_part(name, ':', 2) AS arch) AS p
ORDER BY n;
ALTER TABLE events ADD PRIMARY KEY (n);
VACUUM ANALYZE events;
