/*
 * change_record.c
 *	  Turning changes of a table's rows into records of a topic.
 *
 * In format "row" the record of a change is the new row under its key; a deletion is a
 * tombstone.  So the last record of each key is the row as it is now.  This format cannot
 * express TRUNCATE, so TRUNCATE is refused.
 *
 * In format "envelope" a record tells what happened:
 *
 *	  {"op":"u","before":null,"after":{...},
 *	   "source":{"schema":"public","table":"accounts","xid":731,"ts_ms":1700000000000}}
 *
 * op is c, u, d, t or r (a row that was there when publishing began); the option before=
 * decides what "before" shows.  The record's key is that of the new row, or of the old
 * row for a deletion.  If the topic is compacted, the envelope of a deletion comes with a
 * tombstone, so that compaction removes the key.
 *
 * A record that the topic would refuse as too large is an error of the statement that
 * changes the row.  With on_large=key_only it shows the key's columns alone, in place of
 * rows, and has a header that says so; with on_large=skip there is none.
 *
 * Each key has a partition of its own, and who reads that one alone must learn of all that
 * happens to the key.  So an update that changes the key is the end of the old key, as a
 * deletion is, and then the row under the new key, as an insertion is; and the truncation
 * of the table, which ends all keys, is a record in each partition of the topic.
 *
 * xid is the id that pg_current_xact_id() returns, and ts_ms the record's own timestamp,
 * the moment at which the trigger fired.
 *
 * The table's owner, not the user who changes it, needs INSERT on the topic: as with
 * foreign keys, a user who may change the table need not know what depends on it.
 *
 * Locks: RowExclusiveLock on the topic, until the transaction's end.
 *
 * WAL: none here; producer.c appends at commit.
 *
 * Memory: a writer's buffers are in the context in which it was begun, and grow to the
 * largest change.  Output functions allocate in the caller's context, which the caller
 * resets after each row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "produce/partitioner.h"
#include "produce/producer.h"
#include "publish/change_record.h"
#include "util/clock.h"
#include "util/compat.h"

/* The columns of the old and the new row that a record shows. */
typedef struct ChangeShown
{
	const ChangeColumns *before;	/* as far as before= asks for the old row */
	const ChangeColumns *after;
} ChangeShown;

static const ByteView null_view = {NULL, -1};

/* ---- beginning ---------------------------------------------------------- */

/* ERROR unless the table's owner may produce to the topic. */
static void
check_privilege(ChangePublisher *publisher)
{
	if (publisher->checked_in == PGT_MY_LXID)
		return;
	if (pg_class_aclmask(publisher->topic, publisher->source_owner, ACL_INSERT, ACLMASK_ALL) != ACL_INSERT)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for topic \"%s\"", get_rel_name(publisher->topic)),
				 errdetail("Trigger \"%s\" on table \"%s\" publishes to it with the rights of the table's owner, \"%s\".",
						   publisher->trigger, publisher->table,
						   GetUserNameFromId(publisher->source_owner, false)),
				 errhint("Grant INSERT on the topic to the table's owner.")));
	publisher->checked_in = PGT_MY_LXID;
}

/* The operation's name, as in TG_OP. */
static const char *
operation_name(ChangeOperation operation)
{
	switch (operation)
	{
		case CHANGE_CREATE:
			return "INSERT";
		case CHANGE_UPDATE:
			return "UPDATE";
		case CHANGE_DELETE:
			return "DELETE";
		case CHANGE_TRUNCATE:
			return "TRUNCATE";
		case CHANGE_READ:
			return "READ";
	}
	elog(ERROR, "unexpected operation of a change: %d", (int) operation);
}

/* Encode one header. */
static void
add_header(ChangeWriter *writer, const char *name, const char *value)
{
	ByteView	bytes = pgt_serialize_text(value, strlen(value));
	RecordHeader header = {name, strlen(name), bytes.data, bytes.length};

	enlargeStringInfo(&writer->headers, pgt_record_header_size(&header));
	writer->headers.len = pgt_record_header_encode(writer->headers.data + writer->headers.len, &header) -
		writer->headers.data;
	writer->header_count++;
}

/* Encode the headers, which all changes of the statement share. */
static void
make_headers(ChangeWriter *writer)
{
	const ChangePublisher *publisher = writer->publisher;
	int			headers = publisher->headers;

	if (headers & CHANGE_HEADER_XID)
		add_header(writer, "xid", psprintf(UINT64_FORMAT, writer->xid));
	if (headers & CHANGE_HEADER_TABLE)
		add_header(writer, "table", publisher->table);
	if (headers & CHANGE_HEADER_OPERATION)
		add_header(writer, "operation", operation_name(writer->operation));
	if (headers & CHANGE_HEADER_USER)
		add_header(writer, "user", GetUserNameFromId(GetUserId(), false));
	if (headers & CHANGE_HEADER_SCHEMA_VERSION)
		add_header(writer, "schema_version", publisher->schema_version);
}

void
pgt_change_record_begin(ChangeWriter *writer, ChangePublisher *publisher, ChangeOperation operation)
{
	memset(writer, 0, sizeof(*writer));
	PreventCommandIfReadOnly("publish_changes()");
	check_privilege(publisher);
	LockRelationOid(publisher->topic, RowExclusiveLock);
	writer->publisher = publisher;
	writer->topic = pgt_topic_get(publisher->topic);
	writer->operation = operation;
	writer->command = InvalidCommandId;
	writer->tombstones = pgt_change_publisher_writes_tombstones(publisher, writer->topic);
	writer->now_ms = pgt_clock_now_ms();
	writer->xid = U64FromFullTransactionId(GetTopFullTransactionId());
	initStringInfo(&writer->key);
	initStringInfo(&writer->value);
	if (publisher->headers != 0 || publisher->on_large == CHANGE_ON_LARGE_KEY_ONLY)
	{
		initStringInfo(&writer->headers);
		make_headers(writer);
	}
}

/* ---- records ------------------------------------------------------------ */

/* The record of a key and a value, with the writer's headers. */
static Record
make_record(const ChangeWriter *writer, ByteView key, ByteView value)
{
	Record		record;

	record.offset = NO_OFFSET;
	record.timestamp = writer->now_ms;
	record.key = key.data;
	record.key_length = key.length;
	record.value = value.data;
	record.value_length = value.length;
	record.headers = writer->headers.data;
	record.headers_length = writer->headers.len;
	record.header_count = writer->header_count;
	return record;
}

/* Add a record to the transaction, in a certain partition. */
static void
add_record_to(ChangeWriter *writer, int32 number, ByteView key, ByteView value)
{
	Topic	   *topic = writer->topic;
	TopicPartition partition = pgt_topic_partition(topic, number);
	Record		record = make_record(writer, key, value);

	pgt_producer_add(&partition, &topic->log, &record);
}

/* Add a record to the transaction, in the partition that the topic's partitioner chooses. */
static void
add_record(ChangeWriter *writer, ByteView key, ByteView value)
{
	add_record_to(writer, pgt_partitioner_choose_own(writer->topic, key, value), key, value);
}

/*
 * The key of a row, which a change gives to it or "ends"; ERROR if it is null and tombstones need
 * one, or if its changes are out of order.
 */
static ByteView
row_key(ChangeWriter *writer, TupleTableSlot *slot, StringInfo buffer, bool ends)
{
	ChangePublisher *publisher = writer->publisher;
	ByteView	key = pgt_change_json_key(&publisher->key, slot, buffer);
	ChangeEffect effect = !ends ? CHANGE_EFFECT_ROW : writer->for_statement ? CHANGE_EFFECT_STATEMENT_END : CHANGE_EFFECT_END;

	if (key.length < 0 && writer->tombstones)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("trigger \"%s\" on table \"%s\" cannot publish a row whose key is null",
						publisher->trigger, publisher->table),
				 errdetail("The key is column \"%s\"; a null key does not identify the row that a record of topic \"%s\" stands for.",
						   publisher->key.columns.columns[0].name, get_rel_name(publisher->topic)),
				 errhint("Name another key with key=, or declare the column NOT NULL.")));
	pgt_change_order_note(publisher, key, writer->command, effect);
	return key;
}

/* Append the part of the old row that an envelope shows; "columns" are those of a full row. */
static void
append_before(ChangeWriter *writer, const ChangeColumns *columns, TupleTableSlot *old, TupleTableSlot *new)
{
	ChangePublisher *publisher = writer->publisher;
	StringInfo	out = &writer->value;

	appendStringInfoString(out, ",\"before\":");
	if (old != NULL && publisher->before == CHANGE_BEFORE_FULL)
		pgt_change_json_append_row(out, columns, old);
	else if (old != NULL && publisher->before == CHANGE_BEFORE_KEY && publisher->key.columns.count > 0 &&
			 (new == NULL || pgt_change_json_key_differs(&publisher->key, old, new)))
		pgt_change_json_append_row(out, &publisher->key.columns, old);
	else
		appendBinaryStringInfo(out, "null", 4);
}

/* Append a number. */
static void
append_number(StringInfo out, uint64 number)
{
	enlargeStringInfo(out, MAXINT8LEN);
	out->len += pg_ulltoa_n(number, out->data + out->len);
}

/* Write a change's envelope into the writer's buffer. */
static void
make_envelope(ChangeWriter *writer, ChangeOperation operation, const ChangeShown *shown,
			  TupleTableSlot *old, TupleTableSlot *new)
{
	ChangePublisher *publisher = writer->publisher;
	StringInfo	out = &writer->value;

	appendBinaryStringInfo(out, "{\"op\":\"", 7);
	appendStringInfoChar(out, (char) operation);
	appendStringInfoChar(out, '"');
	append_before(writer, shown->before, old, new);
	appendBinaryStringInfo(out, ",\"after\":", 9);
	if (new != NULL)
		pgt_change_json_append_row(out, shown->after, new);
	else
		appendBinaryStringInfo(out, "null", 4);
	appendBinaryStringInfo(out, publisher->envelope_source, publisher->envelope_source_length);
	append_number(out, writer->xid);
	appendBinaryStringInfo(out, ",\"ts_ms\":", 9);
	append_number(out, writer->now_ms);
	appendBinaryStringInfo(out, "}}", 2);
}

/* The value of a change's record. */
static ByteView
make_value(ChangeWriter *writer, ChangeOperation operation, const ChangeShown *shown,
		   TupleTableSlot *old, TupleTableSlot *new)
{
	ChangePublisher *publisher = writer->publisher;
	StringInfo	out = &writer->value;

	resetStringInfo(out);
	if (publisher->format == CHANGE_FORMAT_ENVELOPE)
		make_envelope(writer, operation, shown, old, new);
	else if (new != NULL)
		pgt_change_json_append_row(out, shown->after, new);
	else
		return null_view;
	if (publisher->validate)
	{
		Serializer *s = &writer->topic->value;

		out->data[out->len] = '\0';
		(void) InputFunctionCall(&s->input, out->data, s->input_param, s->typmod);
	}
	return pgt_serialize_text(out->data, out->len);
}

/* ---- changes ------------------------------------------------------------ */

/* Say that a change has no record. */
static void
warn_skipped(const ChangeWriter *writer, ByteView key, ByteView value)
{
	const ChangePublisher *publisher = writer->publisher;
	Record		record = make_record(writer, key, value);

	ereport(WARNING,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("trigger \"%s\" on table \"%s\" has not published a change, whose record is too large",
					publisher->trigger, publisher->table),
			 errdetail("The record has %zu bytes; topic \"%s\" takes at most %d (max.message.bytes). Readers of the topic miss this change.",
					   pgt_record_size(&record), get_rel_name(publisher->topic), writer->topic->log.max_message_bytes),
			 errhint("Raise the topic's option max.message.bytes, or let the trigger publish the key alone, with on_large=key_only.")));
}

/* Does the record of a change fit the topic? */
static bool
fits(const ChangeWriter *writer, ByteView key, ByteView value)
{
	Record		record = make_record(writer, key, value);

	return pgt_producer_fits(&writer->topic->log, &record);
}

/*
 * Add the record of a change that is too large, with the key's columns alone in place of
 * the old row, or of both rows, and a header that says so.
 */
static void
add_key_only(ChangeWriter *writer, ByteView key, ChangeOperation operation, TupleTableSlot *old, TupleTableSlot *new)
{
	ChangePublisher *publisher = writer->publisher;
	ChangeShown shown = {&publisher->key.columns, &publisher->columns};
	int			headers_length = writer->headers.len;
	ByteView	value;

	add_header(writer, "on_large", "key_only");
	value = make_value(writer, operation, &shown, old, new);
	if (!fits(writer, key, value))
	{
		shown.after = &publisher->key.columns;
		value = make_value(writer, operation, &shown, old, new);
	}
	add_record(writer, key, value);
	writer->headers.len = headers_length;
	writer->header_count--;
}

/* Add the record of a change of one row, or what takes its place if it is too large. */
static void
add_change(ChangeWriter *writer, ByteView key, ChangeOperation operation, TupleTableSlot *old, TupleTableSlot *new)
{
	ChangePublisher *publisher = writer->publisher;
	ChangeShown shown = {&publisher->columns, &publisher->columns};
	ByteView	value = make_value(writer, operation, &shown, old, new);

	if (publisher->on_large == CHANGE_ON_LARGE_ERROR || fits(writer, key, value))
		add_record(writer, key, value);
	else if (publisher->on_large == CHANGE_ON_LARGE_KEY_ONLY)
		add_key_only(writer, key, operation, old, new);
	else
		warn_skipped(writer, key, value);
}

/* Is it an update that has changed the key? */
static bool
changes_key(const ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new)
{
	return writer->operation == CHANGE_UPDATE && old != NULL &&
		pgt_change_json_key_differs(&writer->publisher->key, old, new);
}

/* Add the end of a row's key. */
static void
add_deletion(ChangeWriter *writer, TupleTableSlot *old)
{
	ByteView	key = row_key(writer, old, &writer->key, true);

	add_change(writer, key, CHANGE_DELETE, old, NULL);
	if (writer->tombstones && writer->publisher->format == CHANGE_FORMAT_ENVELOPE)
		add_record(writer, key, null_view);
}

void
pgt_change_record_add_departure(ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new)
{
	if (changes_key(writer, old, new))
		add_deletion(writer, old);
}

void
pgt_change_record_add(ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new)
{
	ChangeOperation operation = writer->operation;
	ByteView	key;

	if (new == NULL)
	{
		add_deletion(writer, old);
		return;
	}
	if (changes_key(writer, old, new))
	{
		operation = CHANGE_CREATE;
		old = NULL;
	}
	key = row_key(writer, new, &writer->key, false);
	add_change(writer, key, operation, old, new);
}

/* ERROR: TRUNCATE cannot be published where each row must have a tombstone. */
static void
refuse_truncate(const ChangePublisher *publisher)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate table \"%s\": trigger \"%s\" cannot publish it to topic \"%s\"",
					publisher->table, publisher->trigger, get_rel_name(publisher->topic)),
			 errdetail("Each row would need a tombstone in the topic, and TRUNCATE does not read the rows."),
			 errhint("Use DELETE, or disable the trigger.")));
}

void
pgt_change_record_add_truncate(ChangeWriter *writer)
{
	ChangeShown shown = {NULL, NULL};
	ByteView	value;

	if (writer->tombstones)
		refuse_truncate(writer->publisher);
	value = make_value(writer, CHANGE_TRUNCATE, &shown, NULL, NULL);
	for (int32 partition = 0; partition < writer->topic->partitions; partition++)
		add_record_to(writer, partition, null_view, value);
}
