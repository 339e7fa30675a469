/*
 * The extension's SQL objects, version 1.0.
 *
 * The schema may already have contained other users' functions and operators when
 * the extension was created in it.  One of them is called instead of a function of
 * pg_catalog if its argument types fit better, although pg_catalog comes first in
 * search_path.  So views and defaults name functions and operators with their schema,
 * except for those of the extension and those whose argument types fit exactly.
 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pg_topics" to load this file. \quit

/* ---- topics are foreign tables ------------------------------------------ */

CREATE FUNCTION pg_topics_handler() RETURNS fdw_handler
AS 'MODULE_PATHNAME', 'pgt_fdw_handler' LANGUAGE C STRICT;

CREATE FUNCTION pg_topics_validator(text[], oid) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_fdw_validator' LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER pg_topics_fdw
    HANDLER pg_topics_handler VALIDATOR pg_topics_validator;

CREATE SERVER topics FOREIGN DATA WRAPPER pg_topics_fdw;
COMMENT ON SERVER topics IS 'the server of this database''s topics';
GRANT USAGE ON FOREIGN SERVER topics TO PUBLIC;

CREATE FUNCTION create_topic(topic text, partitions int DEFAULT 1,
    key_type regtype DEFAULT 'text', value_type regtype DEFAULT 'text',
    config jsonb DEFAULT '{}', if_not_exists bool DEFAULT false,
    retry_topics bool DEFAULT false)
RETURNS regclass
AS 'MODULE_PATHNAME', 'pgt_create_topic' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_topic(text, int, regtype, regtype, jsonb, bool, bool) IS
'create a topic: a foreign table on the server "topics"';

CREATE FUNCTION alter_topic(topic regclass, config jsonb) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_alter_topic' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION alter_topic(regclass, jsonb) IS
'set options of a topic; null removes an option';

CREATE FUNCTION drop_topic(topic regclass) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_drop_topic' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_topic(regclass) IS 'drop a topic with all its records';

CREATE FUNCTION drop_topic(topic text, if_exists bool) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_drop_topic_by_name' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_topic(text, bool) IS 'drop a topic by name; with if_exists a missing topic is no error';

/* ---- producing ----------------------------------------------------------- */

/*
 * A key or value may be of any type, and a call may leave the types of its parameters to
 * the server: most drivers send "SELECT produce($1, $2, $3)" so.  Of "any" the server
 * cannot make a parameter; of anycompatible it makes text, and keeps every type that is
 * given.  That works for one argument only, since all anycompatible arguments of a call
 * get one type.  The key is therefore "any", and text for a parameter without a type.
 * But the server also prefers text for a character(n), and its cast removes blanks at the
 * end, so such keys have a function of their own.
 */
CREATE FUNCTION produce(topic regclass, key "any", value anycompatible,
    partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
    headers jsonb DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'pgt_produce' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION produce(regclass, "any", anycompatible, int, timestamptz, jsonb) IS
'produce a record, which is appended when the transaction commits; returns its partition';

CREATE FUNCTION produce(topic regclass, key text, value anycompatible,
    partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
    headers jsonb DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'pgt_produce_text_key' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION produce(regclass, text, anycompatible, int, timestamptz, jsonb) IS
'produce a record, which is appended when the transaction commits; returns its partition';

CREATE FUNCTION produce(topic regclass, key character, value anycompatible,
    partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
    headers jsonb DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'pgt_produce_character_key' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION produce(regclass, character, anycompatible, int, timestamptz, jsonb) IS
'produce a record, which is appended when the transaction commits; returns its partition';

CREATE FUNCTION produce(topic regclass, value anycompatible) RETURNS int
AS 'MODULE_PATHNAME', 'pgt_produce_value' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION produce(regclass, anycompatible) IS
'produce a record with a null key, which is appended when the transaction commits; returns its partition';

CREATE FUNCTION produced(OUT topic regclass, OUT partition int,
    OUT base_offset bigint, OUT last_offset bigint, OUT records int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_produced' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION produced() IS
'the offsets of the records that this session''s last committed transaction with records has appended';

CREATE FUNCTION flush(OUT topic regclass, OUT partition int,
    OUT base_offset bigint, OUT last_offset bigint, OUT records int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_flush' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION flush() IS
'append the transaction''s pending records now; returns the offsets that it has appended so far';

CREATE FUNCTION murmur2(key bytea) RETURNS int
AS 'MODULE_PATHNAME', 'pgt_murmur2_sql' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION murmur2(bytea) IS 'the hash of Kafka''s default partitioner';

CREATE FUNCTION murmur2_partition(key bytea, partitions int) RETURNS int
AS 'MODULE_PATHNAME', 'pgt_murmur2_partition_sql' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION murmur2_partition(bytea, int) IS
'the partition that Kafka''s default partitioner gives a key';

/* ---- consuming ----------------------------------------------------------- */

/*
 * The role that a group belongs to: inside its oid, as text its name, so that a dump brings
 * it back in another cluster.  Unlike regrole it takes names of roles that do not exist,
 * which would make restoring all groups fail.
 */
CREATE TYPE topic_role;
CREATE FUNCTION topic_role_in(cstring) RETURNS topic_role
AS 'MODULE_PATHNAME', 'pgt_topic_role_in' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION topic_role_out(topic_role) RETURNS cstring
AS 'MODULE_PATHNAME', 'pgt_topic_role_out' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION topic_role_recv(internal) RETURNS topic_role
AS 'MODULE_PATHNAME', 'pgt_topic_role_recv' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION topic_role_send(topic_role) RETURNS bytea
AS 'MODULE_PATHNAME', 'pgt_topic_role_send' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE TYPE topic_role (
    INPUT = topic_role_in, OUTPUT = topic_role_out,
    RECEIVE = topic_role_recv, SEND = topic_role_send, LIKE = pg_catalog.oid);
COMMENT ON TYPE topic_role IS 'a role, or "-" for one that does not exist';
CREATE CAST (topic_role AS oid) WITHOUT FUNCTION AS IMPLICIT;

CREATE TABLE topic_group_offsets (
    group_id text COLLATE "C" NOT NULL,
    topic regclass NOT NULL,
    partition int NOT NULL,
    committed_offset bigint,      -- offset of the next record to read; null: nothing committed yet
    metadata text,
    commit_timestamp timestamptz,
    lost_records bigint NOT NULL DEFAULT 0,  -- records that were deleted before the group had read them
    lost_timestamp timestamptz,   -- when the group last noticed lost records
    member_id text COLLATE "C",   -- the member that has the partition leased, or had it last; null: none
    lease_until timestamptz,
    generation bigint NOT NULL DEFAULT 0,  -- how often a member has taken the partition
    position bigint,              -- offset of the member's next record; null: the committed offset
    position_timestamp timestamptz,  -- when the position last moved
    owner topic_role,             -- the role that the group belongs to; null: whoever writes the row next
    leader_epoch int,             -- that of the record before the committed offset, as a Kafka client has said; null: unknown
    PRIMARY KEY (topic, group_id, partition)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX topic_group_offsets_by_group ON topic_group_offsets (group_id, topic);
COMMENT ON TABLE topic_group_offsets IS
'committed offsets and leases: one row for each consumer group and partition; a consumer owns a partition by locking its row';
SELECT pg_extension_config_dump('topic_group_offsets', '');

CREATE TABLE topic_group_members (
    group_id text COLLATE "C" NOT NULL,
    topic regclass NOT NULL,
    member_id text COLLATE "C" NOT NULL,
    joined timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    lease interval NOT NULL,      -- the length of its leases
    partitions int[] NOT NULL,    -- the partitions leased to it as of its last call
    PRIMARY KEY (topic, group_id, member_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE topic_group_members IS
'one row for each member of a consumer group that leases partitions';

/*
 * What of the groups of Kafka's clients survives the process that coordinates them.  It is not
 * dumped: clients join anew wherever a dump is restored.
 */
CREATE TABLE topic_kafka_groups (
    group_id text COLLATE "C" PRIMARY KEY,
    owner topic_role,             -- the role that the group belongs to
    kind text COLLATE "C" NOT NULL,  -- the protocol of its members: classic or consumer
    protocol_type text COLLATE "C",  -- consumer, connect, ...; null: none yet
    protocol text COLLATE "C",    -- the assignor that the group uses; null: none
    leader text COLLATE "C",      -- member id; null: none
    epoch int NOT NULL,           -- the generation, or the epoch of the group
    changed timestamptz NOT NULL, -- when its state last changed
    state bytea                   -- what else the coordinator knows of it
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE topic_kafka_groups IS
'one row for each consumer group that Kafka clients use or have used';

CREATE TABLE topic_kafka_members (
    group_id text COLLATE "C" NOT NULL,
    member_id text COLLATE "C" NOT NULL,
    instance_id text COLLATE "C", -- of a static member
    client_id text COLLATE "C" NOT NULL,
    client_host text COLLATE "C" NOT NULL,
    session_timeout int NOT NULL, -- milliseconds
    rebalance_timeout int NOT NULL,  -- milliseconds
    epoch int NOT NULL,           -- the member's epoch, or the generation
    subscription bytea,
    assignment bytea,
    state bytea,                  -- what else the coordinator knows of it
    PRIMARY KEY (group_id, member_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE topic_kafka_members IS
'one row for each Kafka client that is a member of a consumer group';

/*
 * The transactional ids of Kafka's clients.  Whether one has an open transaction is in the log's own table of
 * transactions, which is told by the producer's id.  It is not dumped, for the same reason.
 */
CREATE TABLE topic_kafka_transactional_ids (
    transactional_id text COLLATE "C" PRIMARY KEY,
    owner topic_role NOT NULL,    -- the role that the transactional id belongs to
    producer_id bigint NOT NULL,
    epoch int NOT NULL,           -- producers of earlier ones are fenced
    previous_producer_id bigint NOT NULL,  -- with previous_epoch: what the client that was told of these may still name; -1: none
    previous_epoch int NOT NULL,
    timeout int NOT NULL,         -- milliseconds: transactions that are open for longer are aborted
    state text COLLATE "C" NOT NULL,  -- of the last transaction: empty (there was none), begun, committed or aborted
    changed timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX topic_kafka_transactional_ids_by_producer ON topic_kafka_transactional_ids (producer_id);
COMMENT ON TABLE topic_kafka_transactional_ids IS
'one row for each transactional id of Kafka clients';

CREATE TABLE topic_kafka_pending_offsets (
    producer_id bigint NOT NULL,
    group_id text COLLATE "C" NOT NULL,
    topic regclass NOT NULL,
    partition int NOT NULL,
    transaction bigint NOT NULL,  -- the number of the open transaction in the log's table; another one: it has ended
    next_offset bigint NOT NULL,
    leader_epoch int NOT NULL,    -- -1: unknown
    metadata text,
    PRIMARY KEY (producer_id, transaction, group_id, topic, partition)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX topic_kafka_pending_offsets_by_group ON topic_kafka_pending_offsets (group_id, topic, partition);
COMMENT ON TABLE topic_kafka_pending_offsets IS
'one row for each offset that is committed when an open transaction of a Kafka client is';

/*
 * Share groups.  Transactions add rows to topic_share_acks_0 or _1 and change none; these two tables
 * take turns, so that each is truncated when its rows have been merged into topic_share_groups.
 */
CREATE TABLE topic_share_groups (
    topic regclass NOT NULL,
    group_id text COLLATE "C" NOT NULL,
    partition int NOT NULL,
    share_id bigint NOT NULL,     -- by which the rows of the other tables belong to this one
    owner topic_role,             -- the role that the group belongs to
    start_offset bigint NOT NULL, -- all records before it are finished
    states bytea,                 -- of the records from there on
    PRIMARY KEY (topic, group_id, partition)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX topic_share_groups_by_group ON topic_share_groups (group_id);
COMMENT ON TABLE topic_share_groups IS
'one row for each share group and partition: what it was done with when acknowledgements were last merged';
SELECT pg_extension_config_dump('topic_share_groups', '');

CREATE TABLE topic_share_acks_0 (
    share_id bigint NOT NULL,
    start_offset bigint NOT NULL,
    states bytea NOT NULL
) WITH (autovacuum_enabled = false);
CREATE TABLE topic_share_acks_1 (LIKE topic_share_acks_0) WITH (autovacuum_enabled = false);
COMMENT ON TABLE topic_share_acks_0 IS
'one row for what a transaction has acknowledged in a partition for a share group, until it is merged into topic_share_groups';
COMMENT ON TABLE topic_share_acks_1 IS
'the same as topic_share_acks_0; they take turns';
SELECT pg_extension_config_dump('topic_share_acks_0', '');
SELECT pg_extension_config_dump('topic_share_acks_1', '');

CREATE FUNCTION consume(topic regclass, group_id text, max_records int DEFAULT 500,
    timeout interval DEFAULT '0', partitions int[] DEFAULT NULL,
    auto_commit bool DEFAULT true, auto_offset_reset text DEFAULT NULL,
    member_id text DEFAULT NULL, lease interval DEFAULT NULL, timeout_ms int DEFAULT NULL,
    min_records int DEFAULT 1,
    OUT partition int, OUT record_offset bigint, OUT record_timestamp timestamptz,
    OUT key text, OUT value text, OUT headers jsonb)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_consume' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION consume(regclass, text, int, interval, int[], bool, text, text, interval, int, int) IS
'return a topic''s next records for a consumer group';

CREATE FUNCTION consume_as(topic anyelement, group_id text, max_records int DEFAULT 500,
    timeout interval DEFAULT '0', partitions int[] DEFAULT NULL,
    auto_commit bool DEFAULT true, auto_offset_reset text DEFAULT NULL,
    member_id text DEFAULT NULL, lease interval DEFAULT NULL, timeout_ms int DEFAULT NULL,
    min_records int DEFAULT 1)
RETURNS SETOF anyelement
AS 'MODULE_PATHNAME', 'pgt_consume_as' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION consume_as(anyelement, text, int, interval, int[], bool, text, text, interval, int, int) IS
'consume a topic with rows of the topic''s own type: consume_as(NULL::topic, ...)';

-- consume_as('topic', ...): a result with the usual columns, so that the statement is parsed
CREATE FUNCTION consume_as(topic text, group_id text, max_records int DEFAULT 500,
    timeout interval DEFAULT '0', partitions int[] DEFAULT NULL,
    auto_commit bool DEFAULT true, auto_offset_reset text DEFAULT NULL,
    member_id text DEFAULT NULL, lease interval DEFAULT NULL, timeout_ms int DEFAULT NULL,
    min_records int DEFAULT 1,
    OUT partition int, OUT record_offset bigint, OUT record_timestamp timestamptz,
    OUT key text, OUT value text, OUT headers jsonb)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_consume_as_by_name' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION consume_as(text, text, int, interval, int[], bool, text, text, interval, int, int) IS
'an error that says how to write the call: consume_as(NULL::topic, ...)';

CREATE FUNCTION consume_many(topics regclass[], group_id text, max_records int DEFAULT 500,
    timeout interval DEFAULT '0', auto_commit bool DEFAULT true,
    auto_offset_reset text DEFAULT NULL, member_id text DEFAULT NULL,
    lease interval DEFAULT NULL, timeout_ms int DEFAULT NULL,
    min_records int DEFAULT 1,
    OUT topic regclass, OUT partition int, OUT record_offset bigint,
    OUT record_timestamp timestamptz, OUT key text, OUT value text, OUT headers jsonb)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_consume_many' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION consume_many(regclass[], text, int, interval, bool, text, text, interval, int, int) IS
'return the next records of several topics for a consumer group';

CREATE FUNCTION consume_shared(topic regclass, group_id text, max_records int DEFAULT 500,
    lease interval DEFAULT NULL, timeout interval DEFAULT '0', partitions int[] DEFAULT NULL,
    auto_acknowledge bool DEFAULT NULL, auto_offset_reset text DEFAULT NULL,
    OUT partition int, OUT record_offset bigint, OUT record_timestamp timestamptz,
    OUT key text, OUT value text, OUT headers jsonb, OUT delivery_count int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_consume_shared' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION consume_shared(regclass, text, int, interval, interval, int[], bool, text) IS
'return records that no other consumer of a share group has';

CREATE FUNCTION acknowledge(topic regclass, group_id text, partition int, record_offset bigint,
    type text DEFAULT 'accept', delivery_count int DEFAULT NULL, error text DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_acknowledge' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION acknowledge(regclass, text, int, bigint, text, int, text) IS
'accept, release, reject or renew a record that consume_shared() has delivered';

CREATE FUNCTION acknowledge_many(topic regclass, group_id text, partition int, record_offsets bigint[],
    type text DEFAULT 'accept', error text DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_acknowledge_many' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION acknowledge_many(regclass, text, int, bigint[], text, text) IS
'accept, release, reject or renew several records of a partition; returns their number';

CREATE FUNCTION renew(topic regclass, group_id text, partition int, record_offset bigint,
    lease interval DEFAULT '30 s', delivery_count int DEFAULT NULL) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'pgt_renew' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION renew(regclass, text, int, bigint, interval, int) IS
'let the lease of a record that consume_shared() has delivered begin again; returns when it ends';

CREATE FUNCTION merge_share_acks() RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_merge_share_acks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION merge_share_acks() FROM PUBLIC;
COMMENT ON FUNCTION merge_share_acks() IS
'merge acknowledgements of share groups into the rows of the groups, as the maintenance worker does; returns their number';

CREATE FUNCTION commit_offsets(topic regclass, group_id text, member_id text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'pgt_commit_offsets' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION commit_offsets(regclass, text, text) IS
'commit the records that this transaction has consumed with auto_commit => false, or that a member has consumed';

CREATE FUNCTION nack(topic regclass, group_id text, partition int, record_offset bigint,
    error text) RETURNS regclass
AS 'MODULE_PATHNAME', 'pgt_nack' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION nack(regclass, text, int, bigint, text) IS
'copy a record that could not be processed to the retry or dead-letter topic; returns that topic';

CREATE FUNCTION commit_offset(topic regclass, group_id text, partition int,
    next_offset bigint, metadata text DEFAULT NULL, member_id text DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_commit_offset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION commit_offset(regclass, text, int, bigint, text, text) IS
'commit a consumer group''s next offset in one partition';

CREATE FUNCTION leave_group(topic regclass, group_id text, member_id text) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_leave_group' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION leave_group(regclass, text, text) IS
'give up all partitions leased to a member; records that it has not committed are delivered again';

CREATE FUNCTION seek_to_offset(topic regclass, group_id text, next_offset bigint,
    partition int DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_seek_to_offset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION seek_to_offset(regclass, text, bigint, int) IS
'set a consumer group''s next offset, in one partition or all';

CREATE FUNCTION seek_to_timestamp(topic regclass, group_id text, ts timestamptz,
    partition int DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_seek_to_timestamp' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION seek_to_timestamp(regclass, text, timestamptz, int) IS
'let a consumer group continue at the first record with a timestamp at or after a time';

CREATE FUNCTION seek_to_beginning(topic regclass, group_id text,
    partition int DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_seek_to_beginning' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION seek_to_beginning(regclass, text, int) IS
'let a consumer group continue at the log start';

CREATE FUNCTION seek_to_end(topic regclass, group_id text,
    partition int DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_seek_to_end' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION seek_to_end(regclass, text, int) IS
'let a consumer group skip all records that are visible now';

CREATE FUNCTION delete_group(group_id text, topic regclass DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_delete_group' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION delete_group(text, regclass) IS
'delete a consumer group''s offsets, in one topic or all; returns the number of partitions';

/*
 * The topic comes first, as everywhere.  Named arguments find the function above in either
 * order; these two have no names, which would make such a call ambiguous.
 */
CREATE FUNCTION delete_group(regclass, text) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_delete_group_of_topic' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION delete_group(regclass, text) IS
'delete a consumer group''s offsets in a topic; returns the number of partitions';

CREATE FUNCTION delete_group(text, text) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_delete_group_by_names' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION delete_group(text, text) IS
'delete a consumer group''s offsets in a topic: delete_group(''topic'', ''group''), or in the old order';

CREATE FUNCTION alter_group_owner(topic regclass, group_id text, new_owner name) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_alter_group_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION alter_group_owner(regclass, text, name) IS
'let a consumer group of a topic belong to another role';

CREATE FUNCTION remove_kafka_members(group_id text) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_remove_kafka_members' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION remove_kafka_members(text) IS
'end the membership of Kafka clients in a consumer group, where no listener runs any more; returns their number';

CREATE FUNCTION leave_out_claim() RETURNS trigger
AS 'MODULE_PATHNAME', 'pgt_leave_out_claim' LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION leave_out_claim() FROM PUBLIC;
COMMENT ON FUNCTION leave_out_claim() IS
'trigger function of topic_group_offsets: partitions that a dump says Kafka clients have are free when it is restored';

CREATE TRIGGER leave_out_claim BEFORE INSERT ON topic_group_offsets
    FOR EACH ROW EXECUTE FUNCTION leave_out_claim();

CREATE FUNCTION offset_for_timestamp(topic regclass, partition int, ts timestamptz)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_offset_for_timestamp' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION offset_for_timestamp(regclass, int, timestamptz) IS
'the offset of the first record with a timestamp at or after a time, or null';

CREATE FUNCTION visible_offsets(topic regclass, OUT partition int, OUT next_offset bigint,
    OUT exact bool)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_visible_offsets' LANGUAGE C STRICT STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION visible_offsets(regclass) IS
'the offset after the last record that the statement''s snapshot sees in each partition; exact: whether the snapshot sees no record after it';

/* ---- a topic as a table --------------------------------------------------- */

CREATE FUNCTION latest(topic anyelement) RETURNS SETOF anyelement
AS 'MODULE_PATHNAME', 'pgt_latest' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION latest(anyelement) IS
'the last record of each key, except for keys whose last record is a tombstone: latest(NULL::topic)';

-- latest('topic'): a result with the usual columns, so that the statement is parsed
CREATE FUNCTION latest(topic text, OUT partition int, OUT record_offset bigint,
    OUT record_timestamp timestamptz, OUT key text, OUT value text, OUT headers jsonb)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_latest_by_name' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION latest(text) IS
'an error that says how to write the call: latest(NULL::topic)';

/* ---- publishing changes --------------------------------------------------- */

CREATE FUNCTION publish_changes() RETURNS trigger
AS 'MODULE_PATHNAME', 'pgt_publish_changes' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION publish_changes() IS
'trigger function that publishes a table''s changes to a topic: publish_changes(''topic'', ''option=value'', ...)';

CREATE FUNCTION publish_row(row_before record, row_after record, topic regclass) RETURNS bool
AS 'MODULE_PATHNAME', 'pgt_publish_row' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION publish_row(record, record, regclass) IS
'condition of a trigger that publishes a row''s change when it is made: publish_row(OLD.*, NEW.*, ''topic''); always false';

CREATE FUNCTION publish_table(t regclass, topic text DEFAULT NULL,
    format text DEFAULT 'envelope', key text DEFAULT NULL, columns text DEFAULT NULL,
    exclude text DEFAULT NULL, before text DEFAULT NULL, headers text DEFAULT NULL,
    for_each text DEFAULT 'row', snapshot bool DEFAULT false,
    partitions int DEFAULT 1, config jsonb DEFAULT '{}', on_large text DEFAULT NULL)
RETURNS regclass
AS 'MODULE_PATHNAME', 'pgt_publish_table' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION publish_table(regclass, text, text, text, text, text, text, text, text, bool, int, jsonb, text) IS
'publish a table''s changes to a topic, which is created if it does not exist; with snapshot the table''s present rows are published first';

CREATE FUNCTION unpublish_table(t regclass, topic regclass DEFAULT NULL) RETURNS int
AS 'MODULE_PATHNAME', 'pgt_unpublish_table' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION unpublish_table(regclass, regclass) IS
'stop publishing a table''s changes, to one topic or all; returns the number of dropped triggers';

CREATE TABLE topic_schema_versions (
    source regclass NOT NULL,
    version int NOT NULL,
    columns text NOT NULL,        -- the columns' names and types, in order
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, version)
);
COMMENT ON TABLE topic_schema_versions IS
'present and former columns of published tables: the versions that the record header schema_version names';
SELECT pg_extension_config_dump('topic_schema_versions', '');
GRANT SELECT ON topic_schema_versions TO PUBLIC;

CREATE FUNCTION replace_schema_version() RETURNS trigger
AS 'MODULE_PATHNAME', 'pgt_replace_schema_version' LANGUAGE C VOLATILE PARALLEL UNSAFE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION replace_schema_version() FROM PUBLIC;
COMMENT ON FUNCTION replace_schema_version() IS
'trigger function of topic_schema_versions: the number that a dump has takes the place of one that was given when it was restored';

CREATE TRIGGER replace_schema_version BEFORE INSERT ON topic_schema_versions
    FOR EACH ROW EXECUTE FUNCTION replace_schema_version();

CREATE FUNCTION number_schemas() RETURNS event_trigger
AS 'MODULE_PATHNAME', 'pgt_number_schemas' LANGUAGE C VOLATILE PARALLEL UNSAFE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE ALL ON FUNCTION number_schemas() FROM PUBLIC;
COMMENT ON FUNCTION number_schemas() IS 'event trigger function that maintains topic_schema_versions';

CREATE EVENT TRIGGER pg_topics_number_schemas ON ddl_command_end
    WHEN TAG IN ('CREATE TRIGGER', 'ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER TYPE', 'ALTER DOMAIN',
        'ALTER SCHEMA', 'ALTER EXTENSION', 'DROP TABLE', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN',
        'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION')
    EXECUTE FUNCTION number_schemas();

/* ---- maintenance --------------------------------------------------------- */

CREATE FUNCTION apply_retention(INOUT topic regclass DEFAULT NULL, dry_run bool DEFAULT false,
    OUT partition int, OUT segments_deleted int, OUT bytes_deleted bigint,
    OUT log_start_offset bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_apply_retention' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION apply_retention(regclass, bool) IS
'delete the segments whose retention has ended, of one topic or all topics of the current user; with dry_run only report them';

CREATE FUNCTION compact(INOUT topic regclass DEFAULT NULL, dry_run bool DEFAULT false,
    OUT partition int, OUT records_before bigint, OUT records_after bigint,
    OUT bytes_before bigint, OUT bytes_after bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_compact' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION compact(regclass, bool) IS
'remove records that have a later record of the same key, in one topic or all topics of the current user; with dry_run only report them';

CREATE FUNCTION build_key_index(INOUT topic regclass DEFAULT NULL,
    OUT partition int, OUT batches bigint, OUT keys bigint, OUT bytes bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_build_key_index' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION build_key_index(regclass) IS
'bring the index of keys up to date, of one topic or of all topics of the current user that have the option key.index';

CREATE FUNCTION merge_batches(INOUT topic regclass DEFAULT NULL, dry_run bool DEFAULT false,
    OUT partition int, OUT records_before bigint, OUT records_after bigint,
    OUT bytes_before bigint, OUT bytes_after bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_merge_batches' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION merge_batches(regclass, bool) IS
'put small record batches together into full ones, in one topic or all topics of the current user; with dry_run only report what that gains';

CREATE FUNCTION delete_records(topic regclass, partition int, before_offset bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_delete_records' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION delete_records(regclass, int, bigint) IS
'delete a partition''s records before an offset (-1: all stable records); returns the new log start offset';

CREATE FUNCTION erase(topic regclass, key anycompatible) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_erase' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION erase(regclass, anycompatible) IS
'remove all records of a key from a topic''s files; returns their number';

CREATE FUNCTION verify_topic(topic regclass, OUT partition int, OUT segment bigint,
    OUT "position" bigint, OUT record_offset bigint, OUT problem text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_verify_topic' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION verify_topic(regclass) IS
'read and check all files of a topic; returns a row for each problem';

/* ---- inspecting ---------------------------------------------------------- */

CREATE FUNCTION pg_topics_info(OUT topic regclass, OUT partitions int,
    OUT cleanup_policy text, OUT key_type regtype, OUT value_type regtype,
    OUT config jsonb)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topics_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topics AS SELECT * FROM pg_topics_info();
COMMENT ON VIEW pg_topics IS 'topics of this database';

CREATE FUNCTION pg_topic_partitions_info(OUT topic regclass, OUT partition int,
    OUT log_start_offset bigint, OUT log_end_offset bigint, OUT last_stable_offset bigint,
    OUT resolved_offset bigint, OUT segments int, OUT bytes bigint,
    OUT blocking_xid xid, OUT blocking_pid int, OUT blocking_gid text,
    OUT blocking_producer_id bigint, OUT deleted_end_offset bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topic_partitions_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topic_partitions AS SELECT * FROM pg_topic_partitions_info();
COMMENT ON VIEW pg_topic_partitions IS
'log start, log end and last stable offset of each partition, and the transaction that readers wait for';

CREATE FUNCTION pg_topic_size(topic regclass) RETURNS bigint
AS 'MODULE_PATHNAME', 'pgt_topic_size' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pg_topic_size(regclass) IS 'disk space of a topic''s files, in bytes';

CREATE FUNCTION pg_topic_segments_info(OUT topic regclass, OUT partition int,
    OUT base_offset bigint, OUT last_offset bigint, OUT batches bigint, OUT bytes bigint,
    OUT first_timestamp timestamptz, OUT largest_timestamp timestamptz,
    OUT active bool, OUT path text, OUT indexed_batches bigint, OUT key_index_bytes bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topic_segments_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topic_segments AS SELECT * FROM pg_topic_segments_info();
COMMENT ON VIEW pg_topic_segments IS 'segment files of each partition';

CREATE FUNCTION pg_topic_maintenance_info(OUT topic regclass, OUT partition int,
    OUT work text, OUT held_by text, OUT base_offset bigint,
    OUT record_offset bigint, OUT record_timestamp timestamptz, OUT held_until timestamptz,
    OUT detail text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topic_maintenance_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topic_maintenance AS SELECT * FROM pg_topic_maintenance_info();
COMMENT ON VIEW pg_topic_maintenance IS
'what prevents retention, compaction and merging in each partition: the rule, the record, and until when';

CREATE FUNCTION pg_topic_at_risk_info(topic regclass, partition int, committed_offset bigint, group_id text,
    OUT at_risk_records bigint, OUT at_risk_at timestamptz)
AS 'MODULE_PATHNAME', 'pgt_topic_at_risk_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION pg_topic_lag_time(topic regclass, partition int, committed_offset bigint)
RETURNS interval
AS 'MODULE_PATHNAME', 'pgt_topic_lag_time' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION pg_topic_held_info(topic regclass, partition int, next_offset bigint,
    OUT held_offset bigint, OUT held_until timestamptz)
AS 'MODULE_PATHNAME', 'pgt_topic_held_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION pg_topic_consumer_info(topic regclass, group_id text, partition int,
    OUT consumer_pid int, OUT consumer_gid text)
AS 'MODULE_PATHNAME', 'pgt_topic_consumer_info' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

CREATE FUNCTION pg_topic_group_is_shown(topic regclass, owner oid) RETURNS bool
AS 'MODULE_PATHNAME', 'pgt_topic_group_is_shown' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topic_groups WITH (security_barrier) AS
    WITH log AS MATERIALIZED (
        SELECT topic, partition, log_start_offset, last_stable_offset, deleted_end_offset
        FROM pg_topic_partitions_info()
    ), owned AS MATERIALIZED (
        -- the groups that the user may see
        SELECT group_id, topic, owner
        FROM (SELECT group_id, topic, pg_catalog.max(owner) AS owner
              FROM topic_group_offsets GROUP BY group_id, topic) g
        WHERE pg_topic_group_is_shown(topic, owner)
    ), place AS (
        -- a group uses all partitions of a topic in which it has a row
        SELECT g.group_id, g.topic, l.partition, g.owner
        FROM owned g JOIN log l ON g.topic OPERATOR(pg_catalog.=) l.topic
        UNION
        SELECT g.group_id, g.topic, o.partition, g.owner
        FROM owned g JOIN topic_group_offsets o
             ON g.group_id OPERATOR(pg_catalog.=) o.group_id AND g.topic OPERATOR(pg_catalog.=) o.topic
    )
    SELECT g.group_id, g.topic, g.partition, o.committed_offset,
           CASE WHEN l.last_stable_offset IS NOT NULL THEN
               greatest(0, l.last_stable_offset OPERATOR(pg_catalog.-)
                   greatest(coalesce(o.committed_offset, 0), l.log_start_offset)) END AS lag,
           pg_topic_lag_time(g.topic, g.partition, o.committed_offset) AS lag_time,
           o.commit_timestamp, o.metadata,
           -- limited to the largest bigint, since a range may be counted repeatedly
           coalesce(o.lost_records OPERATOR(pg_catalog.+)
               least(9223372036854775807 OPERATOR(pg_catalog.-) o.lost_records,
                   greatest(0, l.deleted_end_offset OPERATOR(pg_catalog.-) o.committed_offset)), 0) AS lost_records,
           o.lost_timestamp, r.at_risk_records, r.at_risk_at,
           coalesce(pg_catalog.substr(o.member_id, m.prefix_length), o.member_id) AS member_id,
           o.lease_until, coalesce(o.generation, 0) AS generation, o.position,
           h.held_offset, h.held_until,
           c.consumer_pid, c.consumer_gid, a.application_name AS consumer_application,
           a.xact_start AS consumer_since, u.oid::regrole AS owner,
           CASE WHEN m.prefix_length IS NOT NULL THEN 'kafka' WHEN o.member_id IS NOT NULL THEN 'sql' END AS member_kind,
           k.client_id, k.client_host, o.leader_epoch
    FROM place g
         LEFT JOIN topic_group_offsets o
              ON g.group_id OPERATOR(pg_catalog.=) o.group_id AND g.topic OPERATOR(pg_catalog.=) o.topic
              AND g.partition OPERATOR(pg_catalog.=) o.partition
         LEFT JOIN log l
              ON g.topic OPERATOR(pg_catalog.=) l.topic AND g.partition OPERATOR(pg_catalog.=) l.partition
         CROSS JOIN LATERAL pg_topic_at_risk_info(g.topic, g.partition, o.committed_offset, g.group_id) r
         CROSS JOIN LATERAL pg_topic_held_info(g.topic, g.partition,
             coalesce(o.position, o.committed_offset)) h
         CROSS JOIN LATERAL pg_topic_consumer_info(g.topic, g.group_id, g.partition) c
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) c.consumer_pid
         LEFT JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) g.owner
         -- the name of a Kafka client that is a member is behind a prefix
         LEFT JOIN LATERAL (SELECT 7 AS prefix_length WHERE pg_catalog.starts_with(o.member_id, 'kafka:')) m ON true
         LEFT JOIN topic_kafka_members k
              ON m.prefix_length IS NOT NULL AND g.group_id OPERATOR(pg_catalog.=) k.group_id
              AND pg_catalog.substr(o.member_id, m.prefix_length) OPERATOR(pg_catalog.=) k.member_id;
COMMENT ON VIEW pg_topic_groups IS
'committed offset and lag of each consumer group in each partition, the records it has lost to retention, and those it would lose next';

CREATE FUNCTION pg_topic_share_groups_info(OUT group_id text, OUT topic regclass, OUT partition int,
    OUT start_offset bigint, OUT end_offset bigint, OUT lag bigint, OUT available bigint,
    OUT acquired bigint, OUT pending bigint, OUT finished bigint, OUT redelivered bigint,
    OUT max_delivery_count int, OUT next_lease_end timestamptz, OUT owner oid)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topic_share_groups_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_topic_share_groups AS
    SELECT group_id, topic, partition, start_offset, end_offset, lag, available, acquired, pending,
           finished, redelivered, max_delivery_count, next_lease_end, u.oid::regrole AS owner
    FROM pg_topic_share_groups_info() g
         LEFT JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) g.owner;
COMMENT ON VIEW pg_topic_share_groups IS
'where each share group stands in each partition, and how many of its records are in which state';

CREATE VIEW pg_topic_group_members WITH (security_barrier) AS
    -- conditions of a query on the view get behind a UNION otherwise
    WITH shown AS MATERIALIZED (
        SELECT m.group_id, m.topic, m.member_id, m.joined, m.lease_until, m.lease, m.partitions,
               u.oid::regrole AS owner, 'sql' AS kind, NULL::text AS protocol, NULL::int AS epoch,
               NULL::text AS instance_id, NULL::text AS client_id, NULL::text AS client_host
        FROM topic_group_members m
             CROSS JOIN LATERAL (SELECT pg_catalog.max(o.owner) AS owner FROM topic_group_offsets o
                 WHERE m.group_id OPERATOR(pg_catalog.=) o.group_id AND m.topic OPERATOR(pg_catalog.=) o.topic) g
             LEFT JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) g.owner
        WHERE pg_topic_group_is_shown(m.topic, g.owner)
        UNION ALL
        SELECT k.group_id, c.topic, k.member_id, NULL, NULL,
               pg_catalog.make_interval(secs => k.session_timeout OPERATOR(pg_catalog./) 1000.0::float8),
               coalesce(c.partitions, '{}'), u.oid::regrole, g.kind, g.protocol, k.epoch,
               k.instance_id, k.client_id, k.client_host
        FROM topic_kafka_members k
             JOIN topic_kafka_groups g ON k.group_id OPERATOR(pg_catalog.=) g.group_id
             LEFT JOIN LATERAL (
                 SELECT o.topic, pg_catalog.array_agg(o.partition ORDER BY o.partition) AS partitions,
                        pg_catalog.max(o.owner) AS owner
                 FROM topic_group_offsets o
                 WHERE o.group_id OPERATOR(pg_catalog.=) k.group_id
                       AND o.member_id OPERATOR(pg_catalog.=) ('kafka:' OPERATOR(pg_catalog.||) k.member_id)
                 GROUP BY o.topic) c ON true
             -- rows of partitions say at any time whose the group is
             LEFT JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) coalesce(c.owner, g.owner::pg_catalog.oid)
        WHERE pg_topic_group_is_shown(c.topic, coalesce(c.owner, g.owner::pg_catalog.oid))
    )
    SELECT * FROM shown;
COMMENT ON VIEW pg_topic_group_members IS
'members of consumer groups: those in SQL that lease partitions, and Kafka clients; also those that have no partition at present';

CREATE FUNCTION pg_stat_topics_info(OUT topic regclass, OUT partition int,
    OUT records_in bigint, OUT bytes_in bigint, OUT batches_in bigint,
    OUT records_out bigint, OUT bytes_out bigint,
    OUT segments_deleted bigint, OUT bytes_deleted bigint,
    OUT compactions bigint, OUT records_compacted bigint, OUT bytes_compacted bigint,
    OUT merges bigint, OUT batches_merged bigint, OUT bytes_merged bigint,
    OUT last_run timestamptz, OUT last_duration interval,
    OUT errors bigint, OUT last_error_at timestamptz, OUT last_error text,
    OUT stats_reset timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_stat_topics_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_stat_topics AS SELECT * FROM pg_stat_topics_info();
COMMENT ON VIEW pg_stat_topics IS
'records in and out of each partition, and the work of retention, compaction and merging on it, since stats_reset';

CREATE FUNCTION pg_stat_reset_topics(topic regclass DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'pgt_stat_reset_topics' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pg_stat_reset_topics(regclass) IS
'set what pg_stat_topics counts to zero: for a topic, or for all topics that the user owns';

CREATE FUNCTION pg_stat_progress_topic_compaction_info(OUT pid int, OUT topic regclass,
    OUT partition int, OUT phase text, OUT bytes_total bigint, OUT bytes_mapped bigint,
    OUT bytes_read bigint, OUT bytes_written bigint, OUT keys bigint,
    OUT records_removed bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_stat_progress_topic_compaction_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_stat_progress_topic_compaction AS
    SELECT * FROM pg_stat_progress_topic_compaction_info();
COMMENT ON VIEW pg_stat_progress_topic_compaction IS 'progress of each running compaction and merging';

CREATE FUNCTION pg_kafka_connections_info(OUT pid int, OUT database oid, OUT connection_id bigint,
    OUT role regrole, OUT client_addr inet, OUT client_port int, OUT listen_addr inet, OUT listen_port int,
    OUT client_id text, OUT software_name text, OUT software_version text,
    OUT state text, OUT last_api text, OUT waiting_requests int, OUT unsent_bytes bigint,
    OUT requests bigint, OUT bytes_in bigint, OUT bytes_out bigint,
    OUT connected_at timestamptz, OUT active_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_kafka_connections_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_kafka_connections AS SELECT * FROM pg_kafka_connections_info();
COMMENT ON VIEW pg_kafka_connections IS 'connections of Kafka clients to all databases of the server';

CREATE FUNCTION pg_kafka_transactions_info(OUT transaction bigint, OUT producer_id bigint, OUT epoch int,
    OUT started_at timestamptz, OUT topics int, OUT partitions int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_kafka_transactions_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE VIEW pg_kafka_transactions WITH (security_barrier) AS
    SELECT i.transactional_id, u.oid::regrole AS owner, i.producer_id, i.epoch,
           CASE WHEN t.transaction IS NOT NULL THEN 'open' WHEN i.state OPERATOR(pg_catalog.=) 'begun' THEN 'aborted'
                ELSE i.state END AS state,
           t.started_at,
           pg_catalog.make_interval(secs => i.timeout OPERATOR(pg_catalog./) 1000.0::float8) AS timeout,
           t.topics, t.partitions,
           CASE WHEN t.transaction IS NOT NULL THEN
               (SELECT pg_catalog.count(*) FROM topic_kafka_pending_offsets p
                WHERE p.producer_id OPERATOR(pg_catalog.=) i.producer_id AND p.transaction OPERATOR(pg_catalog.=) t.transaction)
           END AS pending_offsets,
           i.changed AS changed_at
    FROM topic_kafka_transactional_ids i
         LEFT JOIN pg_kafka_transactions_info() t
              ON t.producer_id OPERATOR(pg_catalog.=) i.producer_id AND t.epoch OPERATOR(pg_catalog.=) i.epoch
         LEFT JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) i.owner
    WHERE pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') OR pg_catalog.pg_has_role(u.oid, 'USAGE');
COMMENT ON VIEW pg_kafka_transactions IS 'transactional ids of Kafka clients, and their open transactions';

CREATE FUNCTION abort_kafka_transaction(transactional_id text) RETURNS boolean
AS 'MODULE_PATHNAME', 'pgt_abort_kafka_transaction' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION abort_kafka_transaction(text) IS
'has the open transaction of a Kafka client aborted, and its producer fenced; false if none is open';

-- What clients of Kafka may use: a row for each entity that has a quota.
CREATE TABLE topic_kafka_quotas (
    role_name text COLLATE "C",   -- a role; empty: each role without a row of its own; null: whatever role it is
    client_id text COLLATE "C",   -- a client.id, likewise
    producer_byte_rate float8 CHECK (producer_byte_rate > 0 AND producer_byte_rate < 'infinity'),
    consumer_byte_rate float8 CHECK (consumer_byte_rate > 0 AND consumer_byte_rate < 'infinity'),
    request_percentage float8 CHECK (request_percentage > 0 AND request_percentage < 'infinity'),
    controller_mutation_rate float8 CHECK (controller_mutation_rate > 0 AND controller_mutation_rate < 'infinity'),
    UNIQUE NULLS NOT DISTINCT (role_name, client_id),
    CHECK (role_name IS NOT NULL OR client_id IS NOT NULL)
);
COMMENT ON TABLE topic_kafka_quotas IS 'quotas of Kafka clients';
SELECT pg_extension_config_dump('topic_kafka_quotas', '');

CREATE FUNCTION topic_kafka_quotas_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'pgt_kafka_quotas_changed' LANGUAGE C;
COMMENT ON FUNCTION topic_kafka_quotas_changed() IS 'tells the processes that serve Kafka clients';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON topic_kafka_quotas
    FOR EACH STATEMENT EXECUTE FUNCTION topic_kafka_quotas_changed();
ALTER TABLE topic_kafka_quotas ENABLE ALWAYS TRIGGER changed;

-- What is configured for single groups of Kafka's clients: a row for each configuration, under Kafka's name.
CREATE TABLE topic_kafka_group_configs (
    group_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    owner topic_role,             -- the role that may change it, as long as there is no such group
    PRIMARY KEY (group_id, name)
);
COMMENT ON TABLE topic_kafka_group_configs IS 'configurations of groups of Kafka clients';
SELECT pg_extension_config_dump('topic_kafka_group_configs', '');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON topic_kafka_group_configs
    FOR EACH STATEMENT EXECUTE FUNCTION topic_kafka_quotas_changed();
ALTER TABLE topic_kafka_group_configs ENABLE ALWAYS TRIGGER changed;

CREATE FUNCTION pg_topics_doctor(held_for interval DEFAULT '1 minute',
    idle_for interval DEFAULT '1 hour',
    OUT check_name text, OUT severity text, OUT subject text, OUT finding text, OUT advice text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'pgt_topics_doctor' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pg_topics_doctor(interval, interval) IS
'check the server''s settings and topics: a row for each finding with what to do, and for each check without one';

-- what each column of the views means; docs/reference.md says more
COMMENT ON COLUMN pg_topics.topic IS 'the topic';
COMMENT ON COLUMN pg_topics.partitions IS 'number of partitions';
COMMENT ON COLUMN pg_topics.cleanup_policy IS 'cleanup.policy in effect';
COMMENT ON COLUMN pg_topics.key_type IS 'type of the column key';
COMMENT ON COLUMN pg_topics.value_type IS 'type of the column value';
COMMENT ON COLUMN pg_topics.config IS 'the options that are set, without the number of partitions';

COMMENT ON COLUMN pg_topic_partitions.topic IS 'the topic';
COMMENT ON COLUMN pg_topic_partitions.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_topic_partitions.log_start_offset IS 'the first offset that is kept';
COMMENT ON COLUMN pg_topic_partitions.log_end_offset IS 'offset of the next record';
COMMENT ON COLUMN pg_topic_partitions.last_stable_offset IS 'offset up to which a consumer gets records now; null: the index is damaged';
COMMENT ON COLUMN pg_topic_partitions.resolved_offset IS 'offset up to which the outcome of transactions is noted in the index';
COMMENT ON COLUMN pg_topic_partitions.segments IS 'number of segments';
COMMENT ON COLUMN pg_topic_partitions.bytes IS 'size of the segments'' files';
COMMENT ON COLUMN pg_topic_partitions.blocking_xid IS 'transaction that holds readers back';
COMMENT ON COLUMN pg_topic_partitions.blocking_pid IS 'process of the session whose transaction that is';
COMMENT ON COLUMN pg_topic_partitions.blocking_gid IS 'name of that transaction, if it is prepared';
COMMENT ON COLUMN pg_topic_partitions.blocking_producer_id IS 'producer of the open Kafka transaction that holds readers back';
COMMENT ON COLUMN pg_topic_partitions.deleted_end_offset IS 'offset behind the last record that was deleted';

COMMENT ON COLUMN pg_topic_segments.topic IS 'the topic';
COMMENT ON COLUMN pg_topic_segments.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_topic_segments.base_offset IS 'the first offset that the segment stands for';
COMMENT ON COLUMN pg_topic_segments.last_offset IS 'offset of its last record; null: it has none';
COMMENT ON COLUMN pg_topic_segments.batches IS 'number of its record batches';
COMMENT ON COLUMN pg_topic_segments.bytes IS 'size of its records';
COMMENT ON COLUMN pg_topic_segments.first_timestamp IS 'earliest timestamp of its first batch';
COMMENT ON COLUMN pg_topic_segments.largest_timestamp IS 'latest timestamp of its records';
COMMENT ON COLUMN pg_topic_segments.active IS 'true for the segment that is appended to';
COMMENT ON COLUMN pg_topic_segments.path IS 'its file, relative to the data directory';
COMMENT ON COLUMN pg_topic_segments.indexed_batches IS 'number of its batches whose keys are in its index of keys';
COMMENT ON COLUMN pg_topic_segments.key_index_bytes IS 'size of its index of keys';

COMMENT ON COLUMN pg_topic_maintenance.topic IS 'the topic';
COMMENT ON COLUMN pg_topic_maintenance.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_topic_maintenance.work IS 'retention, compaction or merging';
COMMENT ON COLUMN pg_topic_maintenance.held_by IS 'the rule that holds the work back; null: nothing does';
COMMENT ON COLUMN pg_topic_maintenance.base_offset IS 'first offset of the segment that this is about';
COMMENT ON COLUMN pg_topic_maintenance.record_offset IS 'the record in it that decides, if one does';
COMMENT ON COLUMN pg_topic_maintenance.record_timestamp IS 'the timestamp of that record';
COMMENT ON COLUMN pg_topic_maintenance.held_until IS 'when it will be over by the options of now; null: not by time alone';
COMMENT ON COLUMN pg_topic_maintenance.detail IS 'a sentence about it';

COMMENT ON COLUMN pg_topic_groups.group_id IS 'name of the consumer group';
COMMENT ON COLUMN pg_topic_groups.topic IS 'the topic';
COMMENT ON COLUMN pg_topic_groups.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_topic_groups.committed_offset IS 'offset of the next record to read; null: none is committed yet';
COMMENT ON COLUMN pg_topic_groups.lag IS 'number of offsets that are still to read';
COMMENT ON COLUMN pg_topic_groups.lag_time IS 'age of the oldest record that is still to read, by its timestamp';
COMMENT ON COLUMN pg_topic_groups.commit_timestamp IS 'when the group last committed here';
COMMENT ON COLUMN pg_topic_groups.metadata IS 'what the last commit gave as metadata';
COMMENT ON COLUMN pg_topic_groups.lost_records IS 'number of records that were deleted before the group had read them';
COMMENT ON COLUMN pg_topic_groups.lost_timestamp IS 'when the group last noticed lost records';
COMMENT ON COLUMN pg_topic_groups.at_risk_records IS 'number of records that the group would lose next';
COMMENT ON COLUMN pg_topic_groups.at_risk_at IS 'when retention may delete these at the earliest';
COMMENT ON COLUMN pg_topic_groups.member_id IS 'member that has the partition leased, or had it last';
COMMENT ON COLUMN pg_topic_groups.lease_until IS 'when that lease ends or has ended; infinity: it is a Kafka client';
COMMENT ON COLUMN pg_topic_groups.generation IS 'how often a member has taken the partition';
COMMENT ON COLUMN pg_topic_groups.position IS 'offset of the member''s next record; null: the committed offset';
COMMENT ON COLUMN pg_topic_groups.held_offset IS 'next record of the group, if it must not be delivered yet';
COMMENT ON COLUMN pg_topic_groups.held_until IS 'when that record may be delivered';
COMMENT ON COLUMN pg_topic_groups.consumer_pid IS 'process of the session whose open transaction consumes from the partition';
COMMENT ON COLUMN pg_topic_groups.consumer_gid IS 'name of the prepared transaction that does';
COMMENT ON COLUMN pg_topic_groups.consumer_application IS 'application_name of that session';
COMMENT ON COLUMN pg_topic_groups.consumer_since IS 'when that session''s transaction began';
COMMENT ON COLUMN pg_topic_groups.owner IS 'role that the group belongs to; null: nobody''s yet, or dropped and so the topic''s owner';
COMMENT ON COLUMN pg_topic_groups.member_kind IS 'sql or kafka: what kind of member has the partition';
COMMENT ON COLUMN pg_topic_groups.client_id IS 'what that Kafka client calls itself';
COMMENT ON COLUMN pg_topic_groups.client_host IS 'address of that Kafka client';
COMMENT ON COLUMN pg_topic_groups.leader_epoch IS 'leader epoch of the record before the committed offset, if a Kafka client has told it';

COMMENT ON COLUMN pg_topic_share_groups.group_id IS 'name of the share group';
COMMENT ON COLUMN pg_topic_share_groups.topic IS 'the topic';
COMMENT ON COLUMN pg_topic_share_groups.partition IS 'the partition';
COMMENT ON COLUMN pg_topic_share_groups.start_offset IS 'all records before it are accepted, rejected or given up';
COMMENT ON COLUMN pg_topic_share_groups.end_offset IS 'no record at or behind it was ever delivered';
COMMENT ON COLUMN pg_topic_share_groups.lag IS 'offsets that the group is not done with';
COMMENT ON COLUMN pg_topic_share_groups.available IS 'records between the two offsets that are to be delivered again';
COMMENT ON COLUMN pg_topic_share_groups.acquired IS 'those that a consumer has';
COMMENT ON COLUMN pg_topic_share_groups.pending IS 'those that a transaction has acknowledged that has not ended';
COMMENT ON COLUMN pg_topic_share_groups.finished IS 'those that the group is done with';
COMMENT ON COLUMN pg_topic_share_groups.redelivered IS 'records that the group is not done with and that were delivered more than once';
COMMENT ON COLUMN pg_topic_share_groups.max_delivery_count IS 'how often the one of these was delivered that was delivered most often';
COMMENT ON COLUMN pg_topic_share_groups.next_lease_end IS 'when the next lease ends; null: nobody has one';
COMMENT ON COLUMN pg_topic_share_groups.owner IS 'role that the group belongs to, as in pg_topic_groups';
COMMENT ON COLUMN pg_topic_group_members.group_id IS 'name of the consumer group';
COMMENT ON COLUMN pg_topic_group_members.topic IS 'the topic; null: a Kafka client without a partition';
COMMENT ON COLUMN pg_topic_group_members.member_id IS 'name of the member';
COMMENT ON COLUMN pg_topic_group_members.joined IS 'when the member first called; null for Kafka clients';
COMMENT ON COLUMN pg_topic_group_members.lease_until IS 'when its leases end; null for Kafka clients';
COMMENT ON COLUMN pg_topic_group_members.lease IS 'the length of its leases; of a Kafka client, its session timeout';
COMMENT ON COLUMN pg_topic_group_members.partitions IS 'the partitions that it had leased as of its last call; of a Kafka client, those that it has';
COMMENT ON COLUMN pg_topic_group_members.owner IS 'role that the group belongs to, as in pg_topic_groups';
COMMENT ON COLUMN pg_topic_group_members.kind IS 'sql; or the protocol of a Kafka client: classic or consumer';
COMMENT ON COLUMN pg_topic_group_members.protocol IS 'the assignor that the group of a Kafka client uses';
COMMENT ON COLUMN pg_topic_group_members.epoch IS 'the generation or epoch that a Kafka client is in';
COMMENT ON COLUMN pg_topic_group_members.instance_id IS 'group.instance.id of a Kafka client that is a static member';
COMMENT ON COLUMN pg_topic_group_members.client_id IS 'what a Kafka client calls itself';
COMMENT ON COLUMN pg_topic_group_members.client_host IS 'address of a Kafka client';

COMMENT ON COLUMN pg_stat_topics.topic IS 'the topic';
COMMENT ON COLUMN pg_stat_topics.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_stat_topics.records_in IS 'number of records produced';
COMMENT ON COLUMN pg_stat_topics.bytes_in IS 'their bytes, as encoded and before compression';
COMMENT ON COLUMN pg_stat_topics.batches_in IS 'number of record batches produced';
COMMENT ON COLUMN pg_stat_topics.records_out IS 'number of records read';
COMMENT ON COLUMN pg_stat_topics.bytes_out IS 'their bytes, as encoded and before compression';
COMMENT ON COLUMN pg_stat_topics.segments_deleted IS 'number of segments deleted by retention and delete_records()';
COMMENT ON COLUMN pg_stat_topics.bytes_deleted IS 'size of these';
COMMENT ON COLUMN pg_stat_topics.compactions IS 'number of compactions';
COMMENT ON COLUMN pg_stat_topics.records_compacted IS 'number of records removed by compaction and erase()';
COMMENT ON COLUMN pg_stat_topics.bytes_compacted IS 'bytes given back by compaction and erase()';
COMMENT ON COLUMN pg_stat_topics.merges IS 'number of times that batches were merged';
COMMENT ON COLUMN pg_stat_topics.batches_merged IS 'by how many batches these were fewer then';
COMMENT ON COLUMN pg_stat_topics.bytes_merged IS 'bytes given back by merging, in the logs and their indexes';
COMMENT ON COLUMN pg_stat_topics.last_run IS 'when the maintenance worker was last done with the partition';
COMMENT ON COLUMN pg_stat_topics.last_duration IS 'how long that took';
COMMENT ON COLUMN pg_stat_topics.errors IS 'number of errors of the maintenance worker with the partition';
COMMENT ON COLUMN pg_stat_topics.last_error_at IS 'when the last of these happened';
COMMENT ON COLUMN pg_stat_topics.last_error IS 'its message';
COMMENT ON COLUMN pg_stat_topics.stats_reset IS 'since when all this is counted: the start of the server, the making of the topic, or pg_stat_reset_topics()';

COMMENT ON COLUMN pg_stat_progress_topic_compaction.pid IS 'process that compacts or merges';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.topic IS 'the topic';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.partition IS 'number of the partition, from 0';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.phase IS 'initializing, building map, rewriting, swapping or merging';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.bytes_total IS 'bytes of the segments to rewrite; known when the map is built';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.bytes_mapped IS 'bytes read to find the last record of each key';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.bytes_read IS 'bytes read to rewrite';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.bytes_written IS 'bytes written';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.keys IS 'number of keys found';
COMMENT ON COLUMN pg_stat_progress_topic_compaction.records_removed IS 'number of records removed';

COMMENT ON COLUMN pg_kafka_connections.pid IS 'process that serves the connection';
COMMENT ON COLUMN pg_kafka_connections.database IS 'database of the listener';
COMMENT ON COLUMN pg_kafka_connections.connection_id IS 'number of the connection, of no other one of the process';
COMMENT ON COLUMN pg_kafka_connections.role IS 'role of the client; null: it has not authenticated';
COMMENT ON COLUMN pg_kafka_connections.client_addr IS 'address of the client';
COMMENT ON COLUMN pg_kafka_connections.client_port IS 'port of the client';
COMMENT ON COLUMN pg_kafka_connections.listen_addr IS 'address that the client has connected to';
COMMENT ON COLUMN pg_kafka_connections.listen_port IS 'port that the client has connected to';
COMMENT ON COLUMN pg_kafka_connections.client_id IS 'what the client calls itself';
COMMENT ON COLUMN pg_kafka_connections.software_name IS 'name of the clients library';
COMMENT ON COLUMN pg_kafka_connections.software_version IS 'version of the clients library';
COMMENT ON COLUMN pg_kafka_connections.state IS 'unauthenticated, idle, waiting for the answer to a request, sending: the client takes an answer slowly, reading: what is to be sent comes from a disk, or throttled by a quota';
COMMENT ON COLUMN pg_kafka_connections.last_api IS 'API of the last request';
COMMENT ON COLUMN pg_kafka_connections.waiting_requests IS 'number of requests that are not answered';
COMMENT ON COLUMN pg_kafka_connections.unsent_bytes IS 'bytes of answers that are not sent';
COMMENT ON COLUMN pg_kafka_connections.requests IS 'number of requests so far';
COMMENT ON COLUMN pg_kafka_connections.bytes_in IS 'bytes received';
COMMENT ON COLUMN pg_kafka_connections.bytes_out IS 'bytes sent';
COMMENT ON COLUMN pg_kafka_connections.connected_at IS 'when the client connected';
COMMENT ON COLUMN pg_kafka_connections.active_at IS 'when a request came in or an answer went out last';

COMMENT ON COLUMN pg_kafka_transactions.transactional_id IS 'as the client calls it';
COMMENT ON COLUMN pg_kafka_transactions.owner IS 'role that it belongs to; null: that does not exist any more';
COMMENT ON COLUMN pg_kafka_transactions.producer_id IS 'id of its producer';
COMMENT ON COLUMN pg_kafka_transactions.epoch IS 'epoch of its producer; those of earlier ones are fenced';
COMMENT ON COLUMN pg_kafka_transactions.state IS 'open, or how the last transaction has ended: committed, aborted, or empty: there was none since the producer began';
COMMENT ON COLUMN pg_kafka_transactions.started_at IS 'when the open transaction was begun';
COMMENT ON COLUMN pg_kafka_transactions.timeout IS 'a transaction that is open for longer is aborted';
COMMENT ON COLUMN pg_kafka_transactions.topics IS 'number of topics in which the open transaction has records';
COMMENT ON COLUMN pg_kafka_transactions.partitions IS 'number of partitions in which the open transaction has records';
COMMENT ON COLUMN pg_kafka_transactions.pending_offsets IS 'number of offsets that are committed with the open transaction';
COMMENT ON COLUMN pg_kafka_transactions.changed_at IS 'when the row of the transactional id was last changed';

COMMENT ON COLUMN topic_kafka_quotas.role_name IS 'the role; empty: each role without a row of its own; null: whatever role it is';
COMMENT ON COLUMN topic_kafka_quotas.client_id IS 'the client.id; empty: each one without a row of its own; null: whatever it is';
COMMENT ON COLUMN topic_kafka_quotas.producer_byte_rate IS 'bytes of Produce requests a second';
COMMENT ON COLUMN topic_kafka_quotas.consumer_byte_rate IS 'bytes of fetched records a second';
COMMENT ON COLUMN topic_kafka_quotas.request_percentage IS 'share of the serving process''s time, in percent';
COMMENT ON COLUMN topic_kafka_quotas.controller_mutation_rate IS 'partitions created and deleted a second';

GRANT SELECT ON pg_topics, pg_topic_partitions, pg_topic_segments, pg_topic_maintenance, pg_topic_groups,
    pg_topic_group_members, pg_topic_share_groups, pg_stat_topics, pg_stat_progress_topic_compaction,
    pg_kafka_connections, pg_kafka_transactions, topic_kafka_quotas TO PUBLIC;
