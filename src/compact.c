#include "postgres.h"

#include "access/xact.h"
#include "compaction.h"
#include "erase.h"
#include "funcapi.h"
#include "log_sync.h"
#include "miscadmin.h"
#include "storage/lmgr.h"

PG_FUNCTION_INFO_V1(pgt_compact);
PG_FUNCTION_INFO_V1(pgt_erase);

static void
compact_topic(const Topic *topic, bool dry_run, ReturnSetInfo *result)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		CompactionResult done;
		Datum		values[6];
		bool		nulls[6] = {0};

		pgt_compaction_run(topic, partition, true, dry_run, &done);
		values[0] = ObjectIdGetDatum(topic->relid);
		values[1] = Int32GetDatum(partition);
		values[2] = Int64GetDatum(done.records_before);
		values[3] = Int64GetDatum(done.records_after);
		values[4] = Int64GetDatum(done.bytes_before);
		values[5] = Int64GetDatum(done.bytes_after);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

Datum
pgt_compact(PG_FUNCTION_ARGS)
{
	bool		dry_run = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Oid			relid = PG_GETARG_OID(0);

	PreventCommandIfReadOnly("compact()");
	InitMaterializedSRF(fcinfo, 0);
	pgt_topic_require(relid);
	pgt_topic_check_owner(relid);
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	(void) pgt_log_resolve_now();
	compact_topic(pgt_topic_get(relid), dry_run, (ReturnSetInfo *) fcinfo->resultinfo);
	UnlockRelationOid(relid, ShareUpdateExclusiveLock);
	return (Datum) 0;
}

Datum
pgt_erase(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Topic	   *topic;
	ByteView	key;
	int64		erased = 0;

	PreventCommandIfReadOnly("erase()");
	pgt_topic_require(relid);
	pgt_topic_check_owner(relid);
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	topic = pgt_topic_get(relid);
	key = pgt_serialize_any(&topic->key, PG_GETARG_DATUM(1), PG_ARGISNULL(1),
							get_fn_expr_argtype(fcinfo->flinfo, 1));
	for (int32 partition = 0; partition < topic->partitions; partition++)
		erased += pgt_erase_key(topic, partition, key);
	UnlockRelationOid(relid, ShareUpdateExclusiveLock);
	PG_RETURN_INT64(erased);
}
