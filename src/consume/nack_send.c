/*
 * nack_send.c
 *	  Sending a record that could not be processed to a retry topic or a dead-letter
 *	  topic.
 *
 * The copy is produced in the consumer's transaction.  What it has beside the record's own headers
 * says what has happened; nack.c shows them, and when the record goes where.  Share groups send
 * records only to the dead-letter topic, since they deliver a record again by themselves.
 *
 * A producer can write any headers; nack_header.c decides when they are believed.  If they
 * are not, the record counts as one that has not failed before, the topic that it is in is
 * the origin, and headers that it has under nack()'s names are replaced.
 *
 * The origin's owner has chosen the topic that a record goes to, and the caller produces
 * to it: both must be allowed to, or the owner of a topic could use the consumers'
 * privileges to write to topics without having the privilege.  The retry topic must have
 * the same owner, because its consumers wait according to its headers.
 *
 * A record can never be too large to be moved: a long error text is cut, producers leave
 * room for the headers of a failure, and max.message.bytes of the topic that the record
 * goes to does not count, even if it is smaller or lacks the codec that made the record
 * fit.
 *
 * Locks: RowExclusiveLock on the topic produced to.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "consume/nack_header.h"
#include "consume/nack_send.h"
#include "produce/partitioner.h"
#include "produce/producer.h"
#include "topic/serializer.h"
#include "util/clock.h"

/* ---- headers ------------------------------------------------------------ */

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

/* The headers about the first failure. */
static const char *const origin_headers[] = {
	NACK_TOPIC, NACK_PARTITION, NACK_OFFSET, NACK_TIMESTAMP, NACK_GROUP
};

/* Is the header one that nack() sets itself, whatever the record has? */
static bool
is_replaced(const RecordHeader *header)
{
	for (int i = 0; i < lengthof(origin_headers); i++)
	{
		if (pgt_nack_header_is_named(header, origin_headers[i]))
			return true;
	}
	return pgt_nack_header_is_named(header, NACK_ATTEMPTS) || pgt_nack_header_is_named(header, NACK_ERROR) ||
		pgt_nack_header_is_named(header, NACK_NOT_BEFORE);
}

/* Copy the record's headers, except those that are set anew. */
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

/* Copy the headers about the first failure. */
static void
copy_origin(StringInfo out, int32 *count, const Record *record)
{
	for (int i = 0; i < lengthof(origin_headers); i++)
	{
		RecordHeader header;

		if (pgt_nack_header_find(record, origin_headers[i], &header))
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

/* The text in UTF-8, as it is stored. */
static char *
to_utf8(const char *text)
{
	return text == NULL ? NULL :
		pg_server_to_any(text, (int) strlen(text), PG_UTF8);
}

/* Build all headers of the copy. */
static void
build_headers(const NackFailure *failure, int64 not_before, StringInfo out, int32 *count)
{
	copy_headers(out, count, &failure->record);
	if (failure->again)
		copy_origin(out, count, &failure->record);
	else
	{
		put_text(out, count, NACK_TOPIC, to_utf8(qualified_name(failure->key.topic)));
		put_number(out, count, NACK_PARTITION, failure->key.partition);
		put_number(out, count, NACK_OFFSET, failure->record.offset);
		put_number(out, count, NACK_TIMESTAMP, failure->record.timestamp);
		put_text(out, count, NACK_GROUP, to_utf8(failure->group));
	}
	put_number(out, count, NACK_ATTEMPTS, failure->attempts);
	put_text(out, count, NACK_ERROR, to_utf8(failure->error));
	if (not_before > 0)
		put_number(out, count, NACK_NOT_BEFORE, not_before);
}

/* ---- the topic that the record goes to ----------------------------------- */

/* The name of the topic that the record goes to; ERROR if the default would be too long. */
static char *
target_name(const NackFailure *failure, bool dead)
{
	char	   *name = pgt_topic_failed_name(failure->origin, dead);
	const char *suffix = dead ? "dlq" : "retry";

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name of topic \"%s\" is too long to derive the name of its \"%s\" topic",
						get_rel_name(failure->origin->relid), suffix),
				 errhint("Set the topic's option \"%s.topic\".", suffix)));
	return name;
}

/* ERROR: the topic that the record should go to does not exist. */
static void
report_missing(const NackFailure *failure, const char *suffix, const char *name)
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
			 errhint("Create it, for example with SELECT create_topic(%s, key_type => '%s', value_type => '%s'), or set the option \"%s.topic\".",
					 quote_literal_cstr(full),
					 format_type_be(failure->topic->key.type),
					 format_type_be(failure->topic->value.type), suffix)));
}

/* ERROR if the target's column would read the record's bytes as another type. */
static void
check_type(const NackFailure *failure, const Serializer *from, const Serializer *to, Oid target)
{
	if (to->type == from->type || to->is_bytea || (to->is_text && !from->is_bytea))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("topic \"%s\" cannot take records of topic \"%s\"",
					get_rel_name(target), get_rel_name(failure->topic->relid)),
			 errdetail("Column \"%s\" has type %s in topic \"%s\" but type %s in topic \"%s\".",
					   NameStr(from->column), format_type_be(to->type), get_rel_name(target),
					   format_type_be(from->type), get_rel_name(failure->topic->relid)),
			 errhint("Give the column the same type in both topics.")));
}

/* ERROR unless the origin's owner may have records sent to the target. */
static void
check_origin_owner(const NackFailure *failure, bool dead, Oid target)
{
	const Topic *origin = failure->origin;
	const char *owner = GetUserNameFromId(origin->owner, false);

	if (pg_class_aclmask(target, origin->owner, ACL_INSERT, ACLMASK_ALL) != ACL_INSERT)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("owner of topic \"%s\" is not allowed to send its records to topic \"%s\"",
						get_rel_name(origin->relid), get_rel_name(target)),
				 errdetail("Role \"%s\" has no INSERT privilege on topic \"%s\".", owner, get_rel_name(target)),
				 errhint("Grant the privilege to the owner, or name another topic in the option \"%s.topic\".",
						 dead ? "dlq" : "retry")));
	if (!dead && !pgt_nack_header_is_own_target(origin, target))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("topic \"%s\" cannot be the retry topic of \"%s\"",
						get_rel_name(target), get_rel_name(origin->relid)),
				 errdetail("Consumers of a retry topic wait as long as the options of \"%s\" say, but its owner, role \"%s\", does not own the retry topic.",
						   get_rel_name(origin->relid), owner),
				 errhint("Give both topics the same owner.")));
}

/* The topic to produce to, locked; ERROR unless the user and the origin's owner may produce to it. */
static Topic *
open_target(const NackFailure *failure, bool dead)
{
	char	   *name = target_name(failure, dead);
	Oid			relid = pgt_nack_header_find_target(failure->origin, name);
	Topic	   *target;

	if (!OidIsValid(relid))
		report_missing(failure, dead ? "dlq" : "retry", name);
	pgt_topic_require(relid);
	pgt_topic_check_acl(relid, ACL_INSERT);
	LockRelationOid(relid, RowExclusiveLock);
	target = pgt_topic_get(relid);
	check_origin_owner(failure, dead, relid);
	check_type(failure, &failure->topic->key, &target->key, relid);
	check_type(failure, &failure->topic->value, &target->value, relid);
	return target;
}

/* Produce the copy; returns the topic that it went to. */
static Oid
send_on(const NackFailure *failure)
{
	bool		dead = failure->attempts >= failure->origin->max_attempts || failure->dies;
	Topic	   *target = open_target(failure, dead);
	int64		delay = failure->origin->retry_delay_ms;
	int64		not_before = dead || delay == 0 ? 0 : pgt_clock_shifted_now_ms() + delay;
	ByteView	key = {failure->record.key, failure->record.key_length};
	ByteView	value = {failure->record.value, failure->record.value_length};
	Record		copy = failure->record;
	TopicPartition partition;
	StringInfoData headers;

	initStringInfo(&headers);
	copy.header_count = 0;
	build_headers(failure, not_before, &headers, &copy.header_count);
	copy.headers = headers.data;
	copy.headers_length = headers.len;
	copy.offset = NO_OFFSET;
	copy.timestamp = pgt_clock_now_ms();
	partition = pgt_topic_partition(target, pgt_partitioner_choose(target, key, value));
	pgt_producer_add_failed(&partition, &target->log, &copy);
	return target->relid;
}

/* Set origin and attempts from the record's headers, if they are believed. */
static void
set_origin(NackFailure *failure)
{
	int64		attempts = 0;

	failure->origin = pgt_nack_header_origin(failure->topic, &failure->record);
	failure->again = failure->origin != NULL;
	if (failure->again)
		attempts = pgt_nack_header_number(&failure->record, NACK_ATTEMPTS);
	else
		failure->origin = failure->topic;
	failure->attempts = Max(Min(attempts, PG_INT32_MAX), 0) + 1;
}

Oid
pgt_nack_send(NackFailure *failure)
{
	set_origin(failure);
	return send_on(failure);
}

Oid
pgt_nack_send_dead(NackFailure *failure, int deliveries)
{
	char	   *name;

	set_origin(failure);
	failure->attempts = Max(failure->attempts, deliveries);
	failure->dies = true;
	name = pgt_topic_failed_name(failure->origin, true);
	if (*failure->origin->dlq_topic == '\0' &&
		(name == NULL || !OidIsValid(pgt_nack_header_find_target(failure->origin, name))))
		return InvalidOid;
	return send_on(failure);
}
