-- What SQL reads from a topic, as the clients print it.

-- The columns have the bytes; every topic here is made so.
CREATE FUNCTION shown(data bytea) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT coalesce('"' || CASE WHEN length(data) = 0 THEN '' ELSE (
		SELECT string_agg(CASE WHEN b BETWEEN 32 AND 126 AND b NOT IN (34, 92) THEN chr(b)
				ELSE '\x' || lpad(to_hex(b), 2, '0') END, '' ORDER BY i)
		FROM generate_series(0, length(data) - 1) AS i, get_byte(data, i) AS b) END || '"', 'null')
$$;

-- A header's value is text, or bytes in hexadecimal where they are no text.
CREATE FUNCTION shown_header(value text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT shown(CASE WHEN value LIKE '\\x%' THEN decode(substr(value, 3), 'hex') ELSE convert_to(value, 'UTF8') END)
$$;

-- The headers are in the order of jsonb, which the records of the tests have too.
CREATE FUNCTION shown_headers(headers jsonb) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT coalesce(string_agg(shown(convert_to(h.name, 'UTF8')) || '=' || shown_header(v.value), ',' ORDER BY h.n, v.n), '-')
	FROM jsonb_each(headers) WITH ORDINALITY AS h (name, value, n),
		jsonb_array_elements_text(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value ELSE jsonb_build_array(h.value) END)
			WITH ORDINALITY AS v (value, n)
$$;

CREATE FUNCTION shown_records(topic text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT format('record %%s %%s %%s %%s %%s %%s', partition, record_offset,
			(extract(epoch FROM record_timestamp) * 1000)::bigint, shown(key), shown(value), shown_headers(headers))
		FROM %I ORDER BY partition, record_offset $q$, topic);
END $$;

CREATE FUNCTION shown_digests(topic text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT format('partition %%s records %%s md5 %%s', partition, count(*), md5(string_agg(value, '' ORDER BY record_offset)))
		FROM %I GROUP BY partition ORDER BY partition $q$, topic);
END $$;

-- Text that begins with \x stands for bytes.
CREATE FUNCTION bytes_of(value text) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE WHEN value LIKE '\\x%' THEN decode(substr(value, 3), 'hex') ELSE convert_to(value, 'UTF8') END
$$;

-- The records of records.jsonl, one a line, in a table; into a topic by SQL alone.
CREATE TABLE written (n int GENERATED ALWAYS AS IDENTITY, record jsonb);

CREATE FUNCTION write_by_sql(topic text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$
		INSERT INTO %I (partition, record_timestamp, key, value, headers)
		SELECT (record->>'partition')::int, to_timestamp((record->>'timestamp')::numeric / 1000),
			bytes_of(record->>'key'), bytes_of(record->>'value'),
			(SELECT jsonb_object_agg(name, CASE jsonb_array_length(found) WHEN 1 THEN found->0 ELSE found END)
			 FROM (SELECT h->>0 AS name, jsonb_agg(h->1) AS found FROM jsonb_array_elements(record->'headers') AS h GROUP BY 1) AS by_name)
		FROM written ORDER BY n $q$, topic);
END $$;
