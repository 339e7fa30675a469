/* The update that test/t/063_sessions.pl makes under load; builds for tests alone install it. */
\echo Use "ALTER EXTENSION pg_topics UPDATE TO 'again'" to load this file. \quit

-- every function anew, as a real update may
DO $$
DECLARE
	definition text;
BEGIN
	FOR definition IN
		SELECT pg_get_functiondef(d.objid)
		FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
		WHERE e.extname = 'pg_topics' AND d.refclassid = 'pg_extension'::regclass
			AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	LOOP
		EXECUTE definition;
	END LOOP;
END $$;
CREATE FUNCTION is_updated() RETURNS bool LANGUAGE sql RETURN true;
