/*
 * kafka_group.c
 *	  What the coordinator of Kafka's groups does to their rows, for tests.
 *
 *	  kafka_claim(group_id text, topic regclass, partition int, member text, role regrole) returns text
 *	  kafka_release(group_id text, topic regclass, partition int) returns boolean
 *	  kafka_release_all(group_id text) returns boolean
 *	  kafka_sql_member(group_id text, topic regclass) returns text
 *	  kafka_coordinate() returns boolean
 *	  kafka_write_group(group_id text, kind text, epoch int, state bytea) returns void
 *	  kafka_write_member(group_id text, member text, instance text, assignment bytea) returns void
 *	  kafka_delete_group(group_id text) returns void
 *	  kafka_delete_member(group_id text, member text) returns void
 *	  kafka_load() returns text
 *	  kafka_group_names(role regrole) returns text
 *
 * Each calls the function of src/group that its name tells; kafka_load() has a line for each row that
 * was told.  A role that is null counts all groups.
 */
#include "postgres.h"

#include "fmgr.h"
#include "group/kafka_claim.h"
#include "group/kafka_group_row.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(kafka_claim);
PG_FUNCTION_INFO_V1(kafka_release);
PG_FUNCTION_INFO_V1(kafka_release_all);
PG_FUNCTION_INFO_V1(kafka_sql_member);
PG_FUNCTION_INFO_V1(kafka_coordinate);
PG_FUNCTION_INFO_V1(kafka_write_group);
PG_FUNCTION_INFO_V1(kafka_write_member);
PG_FUNCTION_INFO_V1(kafka_delete_group);
PG_FUNCTION_INFO_V1(kafka_delete_member);
PG_FUNCTION_INFO_V1(kafka_load);
PG_FUNCTION_INFO_V1(kafka_group_names);

#define TEXT(n)	text_to_cstring(PG_GETARG_TEXT_PP(n))

Datum
kafka_claim(PG_FUNCTION_ARGS)
{
	static const char *const results[] = {"done", "busy", "sql member", "denied", "gone"};

	PG_RETURN_TEXT_P(cstring_to_text(results[pgt_kafka_claim_take(TEXT(0), PG_GETARG_OID(1), PG_GETARG_INT32(2),
																  TEXT(3), PG_GETARG_OID(4))]));
}

Datum
kafka_release(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(pgt_kafka_claim_release(TEXT(0), PG_GETARG_OID(1), PG_GETARG_INT32(2)));
}

Datum
kafka_release_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(pgt_kafka_claim_release_all(TEXT(0)));
}

Datum
kafka_sql_member(PG_FUNCTION_ARGS)
{
	char	   *member = pgt_kafka_claim_find_sql_member(TEXT(0), PG_GETARG_OID(1));

	if (member == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(member));
}

Datum
kafka_coordinate(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(pgt_kafka_claim_coordinate());
}

/* The bytes of an argument. */
static KafkaGroupBytes
bytes_argument(FunctionCallInfo fcinfo, int n)
{
	bytea	   *bytes;

	if (PG_ARGISNULL(n))
		return (KafkaGroupBytes) {NULL, 0};
	bytes = PG_GETARG_BYTEA_PP(n);
	return (KafkaGroupBytes) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}

Datum
kafka_write_group(PG_FUNCTION_ARGS)
{
	KafkaGroupRow row = {
		.id = TEXT(0), .owner = GetUserId(),
		.kind = strcmp(TEXT(1), "classic") == 0 ? KAFKA_GROUP_CLASSIC : KAFKA_GROUP_CONSUMER,
		.protocol_type = "consumer", .epoch = PG_GETARG_INT32(2), .changed = GetCurrentTimestamp(),
		.state = bytes_argument(fcinfo, 3)
	};

	pgt_kafka_group_row_write(&row);
	PG_RETURN_VOID();
}

Datum
kafka_write_member(PG_FUNCTION_ARGS)
{
	KafkaMemberRow row = {
		.id = TEXT(1), .instance_id = PG_ARGISNULL(2) ? NULL : TEXT(2), .client_id = "app",
		.client_host = "/10.1.2.3", .session_timeout = 45000, .rebalance_timeout = 60000, .epoch = 1,
		.assignment = bytes_argument(fcinfo, 3)
	};
	KafkaMemberRows *rows = pgt_kafka_member_rows_begin(TEXT(0));

	pgt_kafka_member_rows_write(rows, &row);
	pgt_kafka_member_rows_end(rows);
	PG_RETURN_VOID();
}

Datum
kafka_delete_group(PG_FUNCTION_ARGS)
{
	pgt_kafka_group_row_delete(TEXT(0));
	PG_RETURN_VOID();
}

Datum
kafka_delete_member(PG_FUNCTION_ARGS)
{
	pgt_kafka_member_row_delete(TEXT(0), TEXT(1));
	PG_RETURN_VOID();
}

static void
add_bytes(StringInfo text, KafkaGroupBytes bytes)
{
	if (bytes.data == NULL)
		appendStringInfoString(text, " -");
	else
		appendStringInfo(text, " %zu:%.*s", bytes.length, (int) Min(bytes.length, 8), bytes.data);
}

static void
load_group(const KafkaGroupRow *row, void *arg)
{
	appendStringInfo(arg, "%s kind %d epoch %d owner %u leader %s", row->id, row->kind, row->epoch, row->owner,
					 row->leader == NULL ? "-" : row->leader);
	add_bytes(arg, row->state);
	appendStringInfoChar(arg, '\n');
}

static void
load_member(const KafkaGroupRow *group, const KafkaMemberRow *row, void *arg)
{
	appendStringInfo(arg, "%s/%s instance %s client %s %s %d %d epoch %d", group->id, row->id,
					 row->instance_id == NULL ? "-" : row->instance_id, row->client_id, row->client_host,
					 row->session_timeout, row->rebalance_timeout, row->epoch);
	add_bytes(arg, row->subscription);
	add_bytes(arg, row->assignment);
	appendStringInfoChar(arg, '\n');
}

Datum
kafka_load(PG_FUNCTION_ARGS)
{
	StringInfoData text;

	initStringInfo(&text);
	pgt_kafka_group_rows_load(load_group, load_member, &text);
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}

/* Has the group a row, in any topic, that belongs to the role? */
static bool
is_of_role(ConsumerGroup *group, Oid role)
{
	ListCell   *cell;

	foreach(cell, pgt_group_rows_topics(group))
	{
		group->topic = lfirst_oid(cell);
		if (pgt_group_rows_owner(group) == role)
			return true;
	}
	return false;
}

Datum
kafka_group_names(PG_FUNCTION_ARGS)
{
	ConsumerGroup group = {.offsets_table = pgt_group_row_extension_table()};
	StringInfoData text;

	initStringInfo(&text);
	while ((group.id = pgt_group_rows_next_group(group.offsets_table, group.id)) != NULL)
	{
		if (PG_ARGISNULL(0) || is_of_role(&group, PG_GETARG_OID(0)))
			appendStringInfo(&text, "%s ", group.id);
	}
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}
