-- Each type of the server's that a column can have, as a key: the same bytes under all
-- settings by each way in, and the same value under all settings by each way out.
-- Files under test: text_settings.c, serializer.c, change_json.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
\set SHOW_CONTEXT never
CREATE SCHEMA value_types;
SET search_path = value_types, public;

-- objects for the types that are their names
CREATE TABLE a_table (a int);
CREATE TYPE a_pair AS (d date, r regclass, n text);
CREATE FUNCTION a_function(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION an_operator(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR @#@# (LEFTARG = int, RIGHTARG = int, FUNCTION = an_operator);
CREATE TEXT SEARCH CONFIGURATION a_config (COPY = pg_catalog.simple);
CREATE TEXT SEARCH DICTIONARY a_dictionary (TEMPLATE = pg_catalog.simple);
CREATE COLLATION a_collation FROM "C";

-- a value of each base type whose text shows what the settings do
CREATE TABLE samples (type text PRIMARY KEY, sample text);
COPY samples FROM stdin (DELIMITER '|');
bool|t
bytea|\\x00ff5c27
"char"|c
name|A Name
int8|-9223372036854775808
int2|-1
int2vector|1 2
int4|2147483647
regproc|value_types.a_function
text|NULL
oid|4294967295
tid|(1,2)
xid|3
cid|4
oidvector|1 2
xml|<a/><b>two</b>
json|{"a" : 1}
jsonb|{"a": 1.50}
xid8|5
point|(0.1,-1e-300)
lseg|[(0.1,0.2),(0.30000000000000004,1)]
path|((0.1,0.2),(3,4))
box|(3,4),(0.1,0.2)
polygon|((0.1,0.2),(3,4),(5,6))
line|{0.1,-1,0.30000000000000004}
float4|0.1234567
float8|0.30000000000000004
circle|<(0.1,0.2),0.30000000000000004>
money|-1234.56
macaddr|08:00:2b:01:02:03
inet|10.1.2.3/8
cidr|10.0.0.0/8
macaddr8|08:00:2b:01:02:03:04:05
aclitem|=r/postgres
bpchar|NULL
varchar|NULL
date|0099-03-04
time|04:05:06.789
timestamp|2024-03-04 05:06:07.8
timestamptz|2024-03-04 05:06:07.8+09
interval|-1 year -2 days +3 hours 4.5 seconds
timetz|04:05:06.789+09
bit|1
varbit|10101
numeric|1234567890.1234567890
refcursor|a cursor
regprocedure|value_types.a_function(int4)
regoper|value_types.@#@#
regoperator|value_types.@#@#(int4,int4)
regclass|value_types.a_table
regcollation|value_types.a_collation
regtype|value_types.a_pair
regrole|pg_monitor
regnamespace|value_types
uuid|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
pg_lsn|16/B374D848
tsvector|'a':1 'b''c':2
gtsvector|-
tsquery|'a' & 'b'
regconfig|value_types.a_config
regdictionary|value_types.a_dictionary
jsonpath|$."a"[*] ? (@ > 1)
txid_snapshot|10:20:10,14
pg_snapshot|10:20:10,14
int4range|[1,10)
numrange|[1.50,)
tsrange|["2024-03-04 00:00:00",)
tstzrange|["2024-03-04 05:06:07+09",)
daterange|[2024-03-04,2024-04-03)
int8range|empty
int4multirange|{[1,3),[5,7)}
nummultirange|{[1.5,2.50]}
tsmultirange|{["2024-03-04 00:00:00",)}
tstzmultirange|{["2024-03-04 05:06:07+09",)}
datemultirange|{[2024-03-04,2024-04-03)}
int8multirange|{}
value_types.a_pair|(2024-03-04,value_types.a_table,NULL)
\.
UPDATE samples SET sample = '=r/' || quote_ident(current_user) WHERE type = 'aclitem';
-- values of these cannot be made from text
INSERT INTO samples VALUES ('pg_node_tree'), ('pg_ndistinct'), ('pg_dependencies'), ('pg_mcv_list'),
    ('pg_brin_bloom_summary'), ('pg_brin_minmax_multi_summary'), ('gtsvector') ON CONFLICT (type) DO UPDATE SET sample = NULL;
SELECT oid::regtype AS type_without_sample FROM pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'
    AND typsubscript <> 'array_subscript_handler'::regproc AND NOT EXISTS (SELECT FROM samples WHERE type::regtype = pg_type.oid);

CREATE PROCEDURE set_settings(odd bool) LANGUAGE plpgsql AS $$
DECLARE
    locale text;
BEGIN
    PERFORM set_config(name, CASE WHEN odd THEN odd_value ELSE plain_value END, false) FROM (VALUES
        ('datestyle', 'ISO, MDY', 'SQL, DMY'), ('timezone', 'America/New_York', 'Asia/Tokyo'),
        ('intervalstyle', 'postgres', 'sql_standard'), ('extra_float_digits', '1', '-10'), ('bytea_output', 'hex', 'escape'),
        ('quote_all_identifiers', 'off', 'on'), ('array_nulls', 'on', 'off'), ('xmloption', 'content', 'document'),
        ('xmlbinary', 'base64', 'hex'), ('standard_conforming_strings', 'on', 'off'), ('lc_monetary', 'C', 'C')) AS s (name, plain_value, odd_value);
    -- one with another form of money, if the machine has any
    FOR locale IN SELECT collname || '.utf8' FROM unnest(ARRAY['de_DE', 'ja_JP', 'en_IN', 'fr_FR']) AS collname WHERE odd LOOP
        BEGIN
            PERFORM set_config('lc_monetary', locale, false);
            EXIT;
        EXCEPTION WHEN invalid_parameter_value THEN
        END;
    END LOOP;
    PERFORM set_config('search_path', CASE WHEN odd THEN 'value_types, public, pg_catalog' ELSE 'public, value_types' END, false);
END $$;

-- all ways in for a value of a type
CREATE PROCEDURE write_type(type text, sample text) LANGUAGE plpgsql AS $$
BEGIN
    CALL value_types.set_settings(false);
    EXECUTE format('CREATE TABLE value_types.one (k %s, id int)', type);
    EXECUTE 'INSERT INTO value_types.one VALUES ($1::' || type || ', 1)' USING sample;
    PERFORM create_topic('value_types.typed', key_type => type::regtype, value_type => type::regtype);
    PERFORM create_topic('value_types.as_text');
    PERFORM publish_table('value_types.one', 'value_types.published', key => 'k', format => 'row');
    FOR i IN 0 .. 1 LOOP
        CALL value_types.set_settings(i = 1);
        -- "char" alone fits several forms of produce() equally well
        EXECUTE format('SELECT produce(''value_types.typed'', k%1$s, k%1$s), produce(''value_types.as_text'', k%1$s, k%1$s)
                        FROM value_types.one', CASE type WHEN '"char"' THEN '::text' ELSE '' END);
        INSERT INTO value_types.typed (key, value) SELECT k, k FROM value_types.one;
        UPDATE value_types.one SET id = 2;
    END LOOP;
END $$;

-- are the bytes the same?
CREATE PROCEDURE compare_bytes(type text) LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    SELECT string_agg(DISTINCT topic || ': ' || key || ' = ' || value, ' <> ') INTO found FROM (
        SELECT 'typed' AS topic, key, value FROM consume('value_types.typed', 'g')
        UNION ALL SELECT 'as text', key, value FROM consume('value_types.as_text', 'g')
        UNION ALL SELECT 'published', key, (value::jsonb -> 'k')::text FROM consume('value_types.published', 'g')) AS c
    HAVING count(DISTINCT key) <> 1 OR count(DISTINCT value) FILTER (WHERE topic <> 'published') <> 1 OR
        count(DISTINCT value) FILTER (WHERE topic = 'published') <> 1 OR count(*) <> 8;
    IF found IS NOT NULL THEN
        RAISE WARNING '% is written as %', type, found;
    END IF;
END $$;

-- is each value read back under both settings, and a row gone that was deleted?
CREATE PROCEDURE read_type(type text) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    keys bigint;
BEGIN
    FOR i IN 0 .. 1 LOOP
        CALL value_types.set_settings(i = 1);
        SELECT count(*) INTO n FROM value_types.typed t, value_types.one
        WHERE t.key::text = one.k::text AND t.value::text = one.k::text;
        EXECUTE 'SELECT count(*) FROM latest(NULL::value_types.typed)' INTO keys;
        IF n <> 4 OR keys <> 1 THEN
            RAISE WARNING '%: % of 4 read back, % keys in latest()', type, n, keys;
        END IF;
    END LOOP;
    CALL value_types.set_settings(false);
    COMMIT;
    CALL value_types.set_settings(true);
    DELETE FROM value_types.one;
    COMMIT;
    EXECUTE 'SELECT count(*) FROM latest(NULL::value_types.published)' INTO n;
    IF n <> 0 THEN
        RAISE WARNING '%: a deleted row stays', type;
    END IF;
END $$;

CREATE PROCEDURE check_types() LANGUAGE plpgsql AS $$
DECLARE
    t record;
    checked int := 0;
BEGIN
    FOR t IN SELECT type, sample FROM value_types.samples WHERE sample IS NOT NULL
             UNION ALL
             SELECT type || '[]', CASE WHEN type = 'box' THEN '{(3,4),(0.1,0.2)}'
                                       WHEN type IN ('text', 'varchar') THEN '{a,NULL,"NULL"}'
                                       ELSE format('{%s,NULL}', to_json(sample)) END
             FROM value_types.samples WHERE sample IS NOT NULL LOOP
        CALL value_types.write_type(t.type, t.sample);
        COMMIT;
        CALL value_types.compare_bytes(t.type);
        COMMIT;
        CALL value_types.read_type(t.type);
        CALL value_types.set_settings(false);
        DROP TABLE value_types.one;
        DROP FOREIGN TABLE value_types.typed, value_types.as_text, value_types.published;
        COMMIT;
        checked := checked + 1;
    END LOOP;
    RAISE WARNING '% types', checked;
END $$;
CALL check_types();
RESET ALL;

SET client_min_messages = warning;
DROP SCHEMA value_types CASCADE;
