/*
 * share_rejected.c
 *	  Sending on what members of share groups have rejected.
 *
 * A record that a client rejects, and one that had its last try with a client, goes to the topic's dead-letter topic, as in SQL
 * (consume/share_death.c).  The loop cannot produce there: it might have to wait, and who has acknowledged a record is not to
 * be told of trouble with a topic that he knows nothing of.  So the acknowledgement marks the record as rejected, which is as durable
 * as any acknowledgement, and a helper process does the rest:
 *
 *	  marked		the group does not deliver it, and is not done with it
 *	  one transaction produces the copy and archives the record: there is one copy, through crashes too
 *
 * It is done with the rights of the group's owner, and of the topic's: both must have INSERT on the dead-letter topic.  Members need none.
 *
 * If it fails, since the topic named by the option is not there, or takes no such record, or a right is missing, the log tells why, the
 * records stay marked, and it is tried again by requests of the group's members, RETRY_MS later at the earliest.
 * Records behind them are delivered, as long as the window has room.
 *
 * The request that asks for it is that of a member, and tells the helper which group it is.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/core/turn.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/share/share_rejected.h"
#include "catalog/pg_authid.h"
#include "consume/share_death.h"
#include "group/group_row.h"
#include "kafka/kafka_messages.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define TIMEOUT_MS	20000
#define RETRY_MS	2000

/* Others wait for the rows of a transaction for no longer than this takes. */
#define MOST_AT_ONCE	500

static void run(HelperCall *call);

const HelperApi pgt_share_rejected_fetch_helper = {.key = KAFKA_API_SHARE_FETCH,.run = run};
const HelperApi pgt_share_rejected_acknowledge_helper = {.key = KAFKA_API_SHARE_ACKNOWLEDGE,.run = run};

/* ---- in the loop -------------------------------------------------------------------------- */

typedef struct Leave
{
	const BrokerRequest *request;
	bool		left;
} Leave;

/* for pgt_turn_try() */
static void
leave(void *arg)
{
	Leave	   *what = arg;

	/* the time counts from the request's arrival, and it may have waited for long */
	what->left = pgt_helper_pool_leave(what->request, TIMEOUT_MS + (int32) pgt_clock_ms_since(what->request->arrived));
}

bool
pgt_share_rejected_send(const BrokerRequest *request)
{
	Leave		what = {.request = request};

	return pgt_turn_try(leave, &what, NULL) && what.left;
}

/* ---- in the helper -------------------------------------------------------------------------- */

/* A share partition in which something is rejected. */
typedef struct RejectedIn
{
	ShareKey	key;
	Oid			owner;
} RejectedIn;

typedef struct Search
{
	const char *group;
	RejectedIn *found;
	int			count;
} Search;

/* visit of pgt_share_table_walk() */
static bool
look(ShareSlot *slot, void *arg)
{
	Search	   *search = arg;

	if (slot->window.rejected > 0 && slot->durable && pgt_share_table_is_made(slot) && strcmp(slot->group_id, search->group) == 0)
		search->found[search->count++] = (RejectedIn) {.key = slot->key,.owner = slot->owner};
	return true;
}

/* What is to be sent on in one transaction. */
typedef struct SendOn
{
	const char *group;
	ShareKey	key;
	int			sent;
} SendOn;

/* In a transaction, as the group's owner. */
static void
send_on(void *arg)
{
	SendOn	   *what = arg;
	Oid			table = pgt_group_row_extension_table();
	ShareGroup	group;
	ShareSlot  *slot;

	what->sent = 0;
	LockRelationOid(what->key.topic, AccessShareLock);
	if (!OidIsValid(table) || !pgt_topic_exists(what->key.topic))
		return;
	group = (ShareGroup) {
		.group = {.offsets_table = table,.topic = what->key.topic,.id = what->group,.role = GetUserId()},
		.schema = get_rel_namespace(table)
	};
	slot = pgt_share_group_enter(&group, what->key.partition, NULL, NULL);
	if (slot != NULL)
		what->sent = pgt_share_death_send_rejected(&group, pgt_topic_get(what->key.topic), slot, MOST_AT_ONCE);
	FAULT_POINT("kafka-rejected-sent");
}

/* Whose rights count: the owner's of the group or, where there is none any more, of the topic. */
static Oid
role_of(const RejectedIn *in)
{
	Oid			role = in->owner;

	StartTransactionCommand();
	if (role == GROUP_UNCLAIMED || !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		role = pgt_topic_owner(in->key.topic);
	CommitTransactionCommand();
	return role;
}

/* Tell why nothing could be sent on. */
static void
log_failure(const SendOn *what, const char *message)
{
	ereport(LOG,
			(errmsg("could not send records on that share group \"%s\" has rejected in partition %d of topic %u: %s",
					what->group, what->key.partition, what->key.topic, message),
			 errdetail("They are kept for the dead-letter topic, and it is tried again when members of the group fetch.")));
}

/* Send on all that is rejected in a share partition. */
static void
send_all(HelperCall *call, const char *group, const RejectedIn *in)
{
	SendOn		what = {.group = group,.key = in->key};
	KafkaError	error;
	char	   *message;

	/* until it is done, clients' requests need not ask for it again */
	pgt_share_table_postpone(&in->key, TIMEOUT_MS);
	call->role = role_of(in);
	do
		error = pgt_topic_change_run(call, send_on, &what, false, &message);
	while (error == KAFKA_ERROR_NONE && what.sent > 0);
	if (error != KAFKA_ERROR_NONE)
		log_failure(&what, message);
	pgt_share_table_postpone(&in->key, error == KAFKA_ERROR_NONE ? 0 : RETRY_MS);
}

/* The group that a request of either API names. */
static char *
group_of(HelperCall *call)
{
	const BrokerRequest *request = &call->request;
	KafkaString id = request->kafka.api->key == KAFKA_API_SHARE_FETCH ?
		((const KafkaShareFetchRequest *) request->kafka.body)->group_id :
		((const KafkaShareAcknowledgeRequest *) request->kafka.body)->group_id;

	return pgt_broker_cstring(&call->request, id);
}

static void
run(HelperCall *call)
{
	Search		search = {.group = group_of(call),.found = palloc(sizeof(RejectedIn) * pgt_max_share_partitions)};

	if (search.group != NULL)
		pgt_share_table_walk(look, &search);
	for (int i = 0; i < search.count; i++)
		send_all(call, search.group, &search.found[i]);
	pgt_helper_done(call, NULL);
}
