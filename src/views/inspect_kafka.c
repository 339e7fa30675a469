/*
 * inspect_kafka.c
 *	  The functions behind the views pg_kafka_connections and pg_kafka_transactions.
 *
 * A row for each open transaction of the database; the view shows it to who may use the transactional id.
 *
 * A row for each connection of a Kafka client, to any database of the server, as in
 * pg_stat_activity.  Roles see their own; who may read all statistics sees all.
 */
#include "postgres.h"

#include "broker/connection_status.h"
#include "catalog/pg_authid.h"
#include "common/ip.h"
#include "funcapi.h"
#include "kafka/kafka_api.h"
#include "log/kafka_txn_map.h"
#include "miscadmin.h"
#include "util/sql_version.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/timestamp.h"
#include "views/inspect.h"

PGT_FUNCTION_INFO(pgt_kafka_connections_info);
PGT_FUNCTION_INFO(pgt_kafka_transactions_info);

/* The names of ConnectionStatusState. */
static const char *const state_names[] = {"unauthenticated", "idle", "waiting", "sending", "throttled", "reading"};

/* Add an address and a port. */
static void
add_address(InspectRow *row, const SockAddr *address)
{
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];
	bool		known = address->salen > 0 &&
		pg_getnameinfo_all(&address->addr, address->salen, host, sizeof(host), port, sizeof(port),
						   NI_NUMERICHOST | NI_NUMERICSERV) == 0;

	if (known)
		clean_ipv6_addr(address->addr.ss_family, host);
	pgt_inspect_add_if(row, known, known ? DirectFunctionCall1(inet_in, CStringGetDatum(host)) : (Datum) 0);
	pgt_inspect_add_if(row, known, Int32GetDatum(known ? atoi(port) : 0));
}

/* Add a name that a client has given itself, unless it has given none. */
static void
add_name(InspectRow *row, const char *name)
{
	pgt_inspect_add_if(row, *name != '\0', CStringGetTextDatum(name));
}

static void
add_row(ReturnSetInfo *result, const ConnectionStatus *status)
{
	InspectRow	row = {0};
	const KafkaApi *api = status->api_key < 0 ? NULL : pgt_kafka_api(status->api_key);

	pgt_inspect_add(&row, Int32GetDatum(status->pid));
	pgt_inspect_add(&row, ObjectIdGetDatum(status->database));
	pgt_inspect_add(&row, Int64GetDatum((int64) status->id));
	pgt_inspect_add_if(&row, OidIsValid(status->role), ObjectIdGetDatum(status->role));
	add_address(&row, &status->peer);
	add_address(&row, &status->local);
	add_name(&row, status->client_id);
	add_name(&row, status->software_name);
	add_name(&row, status->software_version);
	pgt_inspect_add(&row, CStringGetTextDatum(state_names[status->state]));
	pgt_inspect_add_if(&row, api != NULL, api != NULL ? CStringGetTextDatum(pgt_kafka_api_name(api)) : (Datum) 0);
	pgt_inspect_add(&row, Int32GetDatum(status->waiting));
	pgt_inspect_add(&row, Int64GetDatum(status->unsent));
	pgt_inspect_add(&row, Int64GetDatum(status->requests));
	pgt_inspect_add(&row, Int64GetDatum(status->bytes_in));
	pgt_inspect_add(&row, Int64GetDatum(status->bytes_out));
	pgt_inspect_add(&row, TimestampTzGetDatum(status->connected_at));
	pgt_inspect_add(&row, TimestampTzGetDatum(status->active_at));
	pgt_inspect_put(&row, result);
}

/* pg_kafka_connections_info() */
Datum
pgt_kafka_connections_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < pgt_connection_status_count(); i++)
	{
		ConnectionStatus status;

		if (pgt_connection_status_read(i, &status) &&
			(sees_all || (OidIsValid(status.role) && has_privs_of_role(GetUserId(), status.role))))
			add_row(result, &status);
	}
	return (Datum) 0;
}

/* How many topics it has records in. */
static int
count_topics(const KafkaTxnInfo *info)
{
	List	   *topics = NIL;

	for (int i = 0; i < info->part_count; i++)
		topics = list_append_unique_oid(topics, info->parts[i].key.topic);
	return list_length(topics);
}

/* pg_kafka_transactions_info() */
Datum
pgt_kafka_transactions_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	KafkaTxnInfo *infos;
	int			count = pgt_kafka_txn_map_list(&infos);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		InspectRow	row = {0};

		if (infos[i].xid != 0 || infos[i].database != MyDatabaseId)
			continue;
		pgt_inspect_add(&row, Int64GetDatum((int64) infos[i].number));
		pgt_inspect_add(&row, Int64GetDatum(infos[i].producer_id));
		pgt_inspect_add(&row, Int32GetDatum(infos[i].producer_epoch));
		pgt_inspect_add(&row, TimestampTzGetDatum(infos[i].started));
		pgt_inspect_add(&row, Int32GetDatum(count_topics(&infos[i])));
		pgt_inspect_add(&row, Int32GetDatum(infos[i].part_count));
		pgt_inspect_put(&row, result);
	}
	return (Datum) 0;
}
