/*
 * quota_table.c
 *	  The table of quotas, topic_kafka_quotas: its rows, and who is told that they have changed.
 *
 * Quotas are rows of a table, so they are dumped, replicated, and changed in transactions.  Who may change them is
 * who has the privileges on the table: its owner, superusers, and whom they grant INSERT, UPDATE and DELETE.
 *
 * A trigger of the table invalidates it in the relation cache, as DDL does.  So each process is told when the
 * transaction commits, on standbys as well, and those that serve clients read the table again (quota.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "broker/core/broker.h"
#include "broker/core/database_text.h"
#include "broker/core/quota_table.h"
#include "commands/trigger.h"
#include "foreign/foreign.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PGT_FUNCTION_INFO(pgt_kafka_quotas_changed);

#define QUOTA_TABLE_NAME	"topic_kafka_quotas"

enum
{
	COLUMN_ROLE = 1,
	COLUMN_CLIENT_ID,
	COLUMN_FIRST_KIND
};

const char *const pgt_quota_table_kinds[QUOTA_KIND_COUNT] = {
	"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"
};

Oid
pgt_quota_table_oid(void)
{
	Oid			server = get_foreign_server_oid(TOPIC_SERVER_NAME, true);
	Oid			handler = OidIsValid(server) ? GetForeignDataWrapper(GetForeignServer(server)->fdwid)->fdwhandler : InvalidOid;
	Oid			schema = OidIsValid(handler) ? get_func_namespace(handler) : InvalidOid;

	return OidIsValid(schema) ? get_relname_relid(QUOTA_TABLE_NAME, schema) : InvalidOid;
}

/* A column of text, in UTF-8. */
static KafkaString
text_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		is_null;
	Datum		value = heap_getattr(tuple, column, desc, &is_null);
	char	   *string = is_null ? NULL : TextDatumGetCString(value);

	return string == NULL ? pgt_broker_string(NULL) : pgt_database_text_for_client(string);
}

static QuotaRow *
take_row(HeapTuple tuple, TupleDesc desc)
{
	QuotaRow   *row = palloc0(sizeof(QuotaRow));

	row->role = text_column(tuple, desc, COLUMN_ROLE);
	row->client_id = text_column(tuple, desc, COLUMN_CLIENT_ID);
	for (int kind = 0; kind < QUOTA_KIND_COUNT; kind++)
	{
		bool		is_null;
		Datum		value = heap_getattr(tuple, COLUMN_FIRST_KIND + kind, desc, &is_null);

		row->limits[kind] = is_null ? 0 : DatumGetFloat8(value);
	}
	return row;
}

bool
pgt_quota_table_read(Oid table, int most, List **rows)
{
	Relation	relation;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;

	*rows = NIL;
	if (!ConditionalLockRelationOid(table, AccessShareLock))
		return false;
	relation = try_table_open(table, NoLock);
	if (relation == NULL)
	{
		UnlockRelationOid(table, AccessShareLock);
		return true;
	}
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(relation, InvalidOid, false, snapshot, 0, NULL);
	while (list_length(*rows) < most && HeapTupleIsValid(tuple = systable_getnext(scan)))
		*rows = lappend(*rows, take_row(tuple, RelationGetDescr(relation)));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(relation, AccessShareLock);
	return true;
}

/* The trigger of the table. */
Datum
pgt_kafka_quotas_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", "topic_kafka_quotas_changed")));
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}
