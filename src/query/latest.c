/*
 * latest.c
 *	  latest(NULL::topic): a topic read as a table, the last record of each key.
 *
 * The records of each partition come from latest_reader.c.  Records are ordered only within
 * a partition, so a key has a last record in each partition where it occurs.  It occurs in
 * two only if a producer chose the partition, or the number of partitions was changed.
 *
 * Where a query in whose FROM it stands asks for some keys or partitions, a plan node runs in
 * place of the function (latest_plan.c), and reads no others.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.  Writes nothing, so it
 * runs on a standby.
 */
#include "postgres.h"

#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "query/latest.h"
#include "query/latest_reader.h"
#include "topic/record_rows.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_latest);
PGT_FUNCTION_INFO(pgt_latest_by_name);

bool
pgt_latest_is_call(const Node *expr)
{
	FmgrInfo	info;

	if (expr == NULL || !IsA(expr, FuncExpr))
		return false;
	fmgr_info(((const FuncExpr *) expr)->funcid, &info);
	return info.fn_addr == pgt_latest;
}

/* The last record of each key in a partition. */
static void
emit_partition(const Topic *topic, int32 partition, RecordRows *rows)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	LatestReader *reader = pgt_latest_reader_begin(&key, GetActiveSnapshot(), NULL, NULL, NULL);
	Record		record;

	while (pgt_latest_reader_next(reader, &record))
		pgt_record_rows_put(rows, partition, &record);
	pgt_latest_reader_end(reader);
}

/* latest(NULL::topic): the last record of each key, unless it is a tombstone. */
Datum
pgt_latest(PG_FUNCTION_ARGS)
{
	Oid			relid = pgt_record_rows_topic_of_call((FuncExpr *) fcinfo->flinfo->fn_expr,
													  "latest(NULL::topic_name)");
	Topic	   *topic;
	RecordRows *rows;

	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	pgt_topic_check_acl(relid, ACL_SELECT);
	rows = pgt_record_rows_begin(fcinfo, topic, true);
	for (int32 partition = 0; partition < topic->partitions; partition++)
		emit_partition(topic, partition, rows);
	return (Datum) 0;
}

/* latest('topic'): an error */
Datum
pgt_latest_by_name(PG_FUNCTION_ARGS)
{
	pgt_record_rows_refuse_name(fcinfo, "latest", "");
}
