/*
 * nack.c
 *	  nack(): a record that could not be processed goes to a retry topic or a
 *	  dead-letter topic.
 *
 * A consumer that fails on a record and rolls back gets it again and again, and
 * with it holds back its partition.  nack() copies the record elsewhere in the
 * consumer's transaction, so that it can commit its offset and go on:
 *
 *	  orders --nack--> orders.retry --nack--> orders.retry --nack--> orders.dlq
 *			 attempts 1			    attempts 2			   attempts 3 = max.attempts
 *
 * What has happened is in headers of the copy, beside the record's own:
 *
 *	  nack.topic, .partition, .offset, .timestamp, .group	of the first nack: the origin
 *	  nack.attempts		how often processing has failed
 *	  nack.error		of the last one
 *	  nack.not_before	when to try again, where retry.delay.ms says so
 *
 * times being milliseconds since 1970.  The options that count are those of the
 * origin, wherever the record is now; if the origin is gone, of the topic it is
 * in.  consume() does not deliver a record before its nack.not_before, nor what
 * is behind it in the partition: delays of one topic are equal, so what is
 * behind is hardly due earlier.
 *
 * Headers are the producer's word.  One that makes no sense counts as none, so
 * that it cannot block anybody; so does a time to try again that is further
 * ahead than retry.delay.ms may be.
 *
 * Nor may a record be in the way that has no room for what is added: a long
 * error is cut, and a record that max.message.bytes allowed may pass it by the
 * headers of its failure.
 *
 * Locks: AccessShareLock on the topic, RowExclusiveLock on the one produced to.
 *
 * Layer 6.  Read produce.c next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "clock.h"
#include "consumer_group.h"
#include "log_reader.h"
#include "nack.h"
#include "partitioner.h"
#include "producer.h"
#include "serializer.h"
#include "sql_argument.h"
#include "topic_options.h"

#define HEADER_PREFIX		"nack."
#define HEADER_TOPIC		HEADER_PREFIX "topic"
#define HEADER_PARTITION	HEADER_PREFIX "partition"
#define HEADER_OFFSET		HEADER_PREFIX "offset"
#define HEADER_TIMESTAMP	HEADER_PREFIX "timestamp"
#define HEADER_GROUP		HEADER_PREFIX "group"
#define HEADER_ATTEMPTS		HEADER_PREFIX "attempts"
#define HEADER_ERROR		HEADER_PREFIX "error"
#define HEADER_NOT_BEFORE	HEADER_PREFIX "not_before"

#define MAX_ERROR_LENGTH	4096	/* bytes of an error's text that are kept */

/* A record that could not be processed. */
typedef struct Failure
{
	Topic	   *topic;			/* where it is */
	TopicPartition key;
	Record		record;
	const char *group;
	const char *error;			/* NULL: none given */
	Topic	   *origin;			/* whose options count */
	int64		attempts;		/* this one included */
} Failure;

PG_FUNCTION_INFO_V1(pgt_nack);

/* ---- headers ------------------------------------------------------------ */

/* Is that the header's name? */
static bool
is_named(const RecordHeader *header, const char *name)
{
	return header->key_length == strlen(name) && memcmp(header->key, name, header->key_length) == 0;
}

/* Find a header by name; false where there is none with a value. */
static bool
find_header(const Record *record, const char *name, RecordHeader *found)
{
	const char *next = record->headers;

	for (int i = 0; i < record->header_count; i++)
	{
		if (!pgt_record_header_decode(&next, record->headers + record->headers_length, found))
			return false;
		if (is_named(found, name))
			return found->value_length >= 0;
	}
	return false;
}

/* A header's value as a number that is not negative; -1 where it is none. */
static int64
number_in_header(const Record *record, const char *name)
{
	RecordHeader header;
	int64		number = 0;

	if (!find_header(record, name, &header) || header.value_length < 1 || header.value_length > 18)
		return -1;
	for (int i = 0; i < header.value_length; i++)
	{
		if (header.value[i] < '0' || header.value[i] > '9')
			return -1;
		number = number * 10 + (header.value[i] - '0');
	}
	return number;
}

/* See the header. */
int64
pgt_record_not_before(const Record *record)
{
	int64		not_before;

	if (record->header_count == 0)
		return 0;
	not_before = number_in_header(record, HEADER_NOT_BEFORE);
	if (not_before < 0 || not_before - pgt_maintenance_now() > MAX_RETRY_DELAY_MS)
		return 0;
	return not_before;
}

/* Add an encoded header. */
static void
put_header(StringInfo out, int32 *count, const RecordHeader *header)
{
	enlargeStringInfo(out, (int) pgt_record_header_size(header));
	out->len = (int) (pgt_record_header_encode(out->data + out->len, header) - out->data);
	(*count)++;
}

/* Add a header of text; NULL: without a value. */
static void
put_text(StringInfo out, int32 *count, const char *name, const char *value)
{
	RecordHeader header = {name, (int32) strlen(name), value,
	value == NULL ? -1 : (int32) strlen(value)};

	put_header(out, count, &header);
}

/* Add a header of a number. */
static void
put_number(StringInfo out, int32 *count, const char *name, int64 value)
{
	put_text(out, count, name, psprintf(INT64_FORMAT, value));
}

/* Is it of the headers that each nack sets anew? */
static bool
is_replaced(const RecordHeader *header)
{
	return is_named(header, HEADER_ATTEMPTS) || is_named(header, HEADER_ERROR) ||
		is_named(header, HEADER_NOT_BEFORE);
}

/* Copy the record's headers but those that are set anew. */
static void
copy_headers(StringInfo out, int32 *count, const Record *record)
{
	const char *next = record->headers;

	for (int i = 0; i < record->header_count; i++)
	{
		RecordHeader header;

		if (!pgt_record_header_decode(&next, record->headers + record->headers_length, &header))
			return;
		if (!is_replaced(&header))
			put_header(out, count, &header);
	}
}

/* The schema-qualified name of a topic. */
static char *
qualified_name(Oid topic)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(topic)),
									  get_rel_name(topic));
}

/* The text as it is stored: in UTF-8. */
static char *
to_utf8(const char *text)
{
	return text == NULL ? NULL :
		pg_server_to_any(text, (int) strlen(text), PG_UTF8);
}

/* All headers of the copy. */
static void
build_headers(const Failure *failure, int64 not_before, StringInfo out, int32 *count)
{
	RecordHeader header;

	copy_headers(out, count, &failure->record);
	if (!find_header(&failure->record, HEADER_TOPIC, &header))
	{
		put_text(out, count, HEADER_TOPIC, to_utf8(qualified_name(failure->key.topic)));
		put_number(out, count, HEADER_PARTITION, failure->key.partition);
		put_number(out, count, HEADER_OFFSET, failure->record.offset);
		put_number(out, count, HEADER_TIMESTAMP, failure->record.timestamp);
		put_text(out, count, HEADER_GROUP, to_utf8(failure->group));
	}
	put_number(out, count, HEADER_ATTEMPTS, failure->attempts);
	put_text(out, count, HEADER_ERROR, to_utf8(failure->error));
	if (not_before > 0)
		put_number(out, count, HEADER_NOT_BEFORE, not_before);
}

/* ---- where it goes ------------------------------------------------------ */

/* The relation of a possibly qualified name, by default in "schema"; InvalidOid where there is none. */
static Oid
find_relation(const char *name, Oid schema)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	if (list_length(names) == 2)
		schema = get_namespace_oid(linitial(names), true);
	return OidIsValid(schema) ? get_relname_relid(llast(names), schema) : InvalidOid;
}

/* The topic that the record came from first; where it is gone, the one it is in. */
static Topic *
find_origin(const Failure *failure)
{
	RecordHeader header;
	Oid			relid;
	char	   *name;

	if (!find_header(&failure->record, HEADER_TOPIC, &header))
		return failure->topic;
	name = pg_any_to_server(pnstrdup(header.value, header.value_length), header.value_length, PG_UTF8);
	relid = find_relation(name, InvalidOid);
	if (!OidIsValid(relid) || !pgt_is_topic(relid))
		return failure->topic;
	LockRelationOid(relid, AccessShareLock);
	return pgt_is_topic(relid) ? pgt_topic_get(relid) : failure->topic;
}

/* The name of the topic to go to, as the option gives it or <origin>.<suffix>. */
static char *
target_name(const Failure *failure, const char *option, const char *suffix)
{
	char	   *name;

	if (*option != '\0')
		return pstrdup(option);
	name = psprintf("%s.%s", get_rel_name(failure->origin->relid), suffix);
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("the name of topic \"%s\" is too long for a default \"%s\" topic",
						get_rel_name(failure->origin->relid), suffix),
				 errhint("Set its option \"%s.topic\".", suffix)));
	return pstrdup(quote_identifier(name));
}

/* There is no topic to go to. */
static void
report_missing(const Failure *failure, const char *suffix, const char *name)
{
	List	   *names;
	char	   *full = pstrdup(name);

	if (SplitIdentifierString(pstrdup(name), '.', &names) && list_length(names) == 1)
		full = quote_qualified_identifier(get_namespace_name(get_rel_namespace(failure->origin->relid)),
										  linitial(names));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("topic %s, the %s topic of \"%s\", does not exist",
					full, strcmp(suffix, "dlq") == 0 ? "dead-letter" : "retry",
					get_rel_name(failure->origin->relid)),
			 errhint("Create it, as by SELECT create_topic(%s, key_type => '%s', value_type => '%s'), or set the option \"%s.topic\".",
					 quote_literal_cstr(full),
					 format_type_be(failure->topic->key.type),
					 format_type_be(failure->topic->value.type), suffix)));
}

/* ERROR where the bytes of one type would be taken for those of another. */
static void
check_type(const Failure *failure, const Serializer *from, const Serializer *to, Oid target)
{
	if (to->type == from->type || to->is_bytea || (to->is_text && !from->is_bytea))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("topic \"%s\" cannot take records of topic \"%s\"",
					get_rel_name(target), get_rel_name(failure->topic->relid)),
			 errdetail("Column \"%s\" is of type %s there and %s here.", NameStr(from->column),
					   format_type_be(to->type), format_type_be(from->type)),
			 errhint("Give it the same type.")));
}

/* The topic to produce to, locked, which the user may do. */
static Topic *
open_target(const Failure *failure, bool dead)
{
	const char *suffix = dead ? "dlq" : "retry";
	char	   *name = target_name(failure, dead ? failure->origin->dlq_topic :
								   failure->origin->retry_topic, suffix);
	Oid			relid = find_relation(name, get_rel_namespace(failure->origin->relid));
	Topic	   *target;

	if (!OidIsValid(relid))
		report_missing(failure, suffix, name);
	pgt_topic_require(relid);
	pgt_topic_check_acl(relid, ACL_INSERT);
	LockRelationOid(relid, RowExclusiveLock);
	target = pgt_topic_get(relid);
	check_type(failure, &failure->topic->key, &target->key, relid);
	check_type(failure, &failure->topic->value, &target->value, relid);
	return target;
}

/* Produce the record to where it goes; returns that topic. */
static Oid
send_on(const Failure *failure)
{
	bool		dead = failure->attempts >= failure->origin->max_attempts;
	Topic	   *target = open_target(failure, dead);
	int64		delay = failure->origin->retry_delay_ms;
	int64		not_before = dead || delay == 0 ? 0 : pgt_maintenance_now() + delay;
	ByteView	key = {failure->record.key, failure->record.key_length};
	ByteView	value = {failure->record.value, failure->record.value_length};
	Record		copy = failure->record;
	TopicPartition place;
	LogConfig	config;
	StringInfoData headers;

	initStringInfo(&headers);
	copy.header_count = 0;
	build_headers(failure, not_before, &headers, &copy.header_count);
	copy.headers = headers.data;
	copy.headers_length = headers.len;
	copy.offset = NO_OFFSET;
	copy.timestamp = pgt_now_ms();
	place = pgt_topic_partition(target, pgt_choose_partition(target, key, value));
	config = target->log;
	config.max_message_bytes = Min(config.max_message_bytes + Max(headers.len - failure->record.headers_length, 0),
								   RECORD_BATCH_MAX_SIZE);
	pgt_producer_add(&place, &config, &copy);
	return target->relid;
}

/* ---- the SQL function --------------------------------------------------- */

/* Read the record; ERROR where the statement does not see it. */
static LogReader *
read_record(Failure *failure, int64 offset)
{
	LogReader  *reader = pgt_log_reader_begin(&failure->key, offset, GetActiveSnapshot(), NULL);

	if (!pgt_log_reader_next(reader, &failure->record) || failure->record.offset != offset)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("topic \"%s\" partition %d has no record at offset %lld",
						get_rel_name(failure->key.topic), failure->key.partition, (long long) offset),
				 errhint("Give partition and offset of a record that consume() has returned.")));
	return reader;
}

/* An error's text, cut where it is too long. */
static char *
shorten(char *error)
{
	int			length = (int) strlen(error);

	error[pg_mbcliplen(error, length, MAX_ERROR_LENGTH)] = '\0';
	return error;
}

/* nack(topic, group_id, partition, record_offset, error): the topic the record went to. */
Datum
pgt_nack(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"topic", "group_id", "partition", "record_offset"};
	Failure		failure = {0};
	LogReader  *reader;
	Oid			target;

	for (int i = 0; i < lengthof(names); i++)
		pgt_require_arg(fcinfo, i, names[i]);
	PreventCommandDuringRecovery("nack()");
	PreventCommandIfReadOnly("nack()");
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	failure.topic = pgt_topic_get(PG_GETARG_OID(0));
	pgt_topic_check_acl(failure.topic->relid, ACL_SELECT);
	failure.key = pgt_topic_partition(failure.topic, PG_GETARG_INT32(2));
	failure.group = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pgt_group_check_id(failure.group);
	failure.error = PG_ARGISNULL(4) ? NULL : shorten(text_to_cstring(PG_GETARG_TEXT_PP(4)));

	reader = read_record(&failure, PG_GETARG_INT64(3));
	failure.attempts = Max(number_in_header(&failure.record, HEADER_ATTEMPTS), 0) + 1;
	failure.origin = find_origin(&failure);
	target = send_on(&failure);
	pgt_log_reader_end(reader);
	PG_RETURN_OID(target);
}
