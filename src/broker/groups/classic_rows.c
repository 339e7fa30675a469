/*
 * classic_rows.c
 *	  Classic groups and their members as rows, and back.
 *
 * Most of it has columns of its own (group/kafka_group_row.h).  The rest is in the columns "state":
 *
 *	  group		byte	1, the version of this
 *				byte	1: whole, 0: its members' rows are being written, 2: whole, and a rebalance is due
 *				int32	generations up to this one may have been used without being stored
 *	  member	byte	1, likewise
 *				int32	number of protocols; for each of them:
 *				int16	length of its name, and the name
 *				int32	length of its metadata, and the metadata; -1: they are in the column "subscription"
 *
 * in network byte order.  Who has stored the members of a group with many needs several transactions for it.  If the server
 * crashes between them, members are unknown afterwards and join again.
 *
 * A generation is stored when members have their assignments, but they are told of it before.  After a crash it
 * must not be used for another one, so it is stored in advance up to which one they may be used.
 */
#include "postgres.h"

#include "broker/groups/classic_rows.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"
#include "util/clock.h"

#define STATE_VERSION	1

#define STATE_PARTIAL	0
#define STATE_WHOLE		1
#define STATE_DUE		2

/* ---- writing -------------------------------------------------------------------- */

static void
put_int16(StringInfo bytes, int16 value)
{
	uint16		number = pg_hton16((uint16) value);

	appendBinaryStringInfo(bytes, (char *) &number, sizeof(number));
}

static void
put_int32(StringInfo bytes, int32 value)
{
	uint32		number = pg_hton32((uint32) value);

	appendBinaryStringInfo(bytes, (char *) &number, sizeof(number));
}

static KafkaGroupBytes
group_bytes(const char *data, int32 length)
{
	return (KafkaGroupBytes) {length > 0 ? data : "", Max(length, 0)};
}

/* Is a rebalance due, and not what is stored now? */
static bool
is_due(const ClassicGroup *group)
{
	return group->rebalance_due && !group->storing && group->state != CLASSIC_GROUP_EMPTY;
}

void
pgt_classic_rows_write_group(const CoordinatorGroup *registered, ClassicGroup *group, bool whole)
{
	KafkaGroupRow row = {
		.id = registered->id,
		.owner = registered->owner,
		.kind = KAFKA_GROUP_CLASSIC,
		.protocol_type = group->protocol_type,
		.protocol = group->protocol == NULL ? NULL : group->protocol->by_name.id,
		.leader = group->leader == NULL ? NULL : group->leader->id,
		.epoch = group->generation,
		.changed = pgt_clock_shifted_now()
	};
	StringInfoData state;

	initStringInfo(&state);
	appendStringInfoChar(&state, STATE_VERSION);
	appendStringInfoChar(&state, !whole ? STATE_PARTIAL : is_due(group) ? STATE_DUE : STATE_WHOLE);
	put_int32(&state, pgt_classic_group_reserve_generations(group));
	row.state = group_bytes(state.data, state.len);
	pgt_kafka_group_row_write(&row);
}

/* All protocols of a member. */
static KafkaGroupBytes
state_of(const ClassicGroup *group, const ClassicMember *member)
{
	const ClassicMemberProtocols *protocols = member->protocols;
	StringInfoData state;

	initStringInfo(&state);
	appendStringInfoChar(&state, STATE_VERSION);
	put_int32(&state, protocols->count);
	for (int32 i = 0; i < protocols->count; i++)
	{
		const ClassicMemberProtocol *protocol = &protocols->items[i];
		bool		chosen = group->protocol != NULL && strcmp(protocol->name.data, group->protocol->by_name.id) == 0;

		put_int16(&state, (int16) protocol->name.length);
		appendBinaryStringInfo(&state, protocol->name.data, protocol->name.length);
		put_int32(&state, chosen ? -1 : protocol->metadata.length);
		if (!chosen)
			appendBinaryStringInfo(&state, protocol->metadata.data, protocol->metadata.length);
	}
	return group_bytes(state.data, state.len);
}

/* A number for all that may change in a member's row, but for the generation. */
static uint64
hash_row(const KafkaMemberRow *row)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) row->state.data, row->state.length, row->session_timeout);

	hash = hash_bytes_extended((const unsigned char *) row->subscription.data, row->subscription.length, hash);
	hash = hash_bytes_extended((const unsigned char *) row->assignment.data, row->assignment.length, hash);
	return hash_combine64(hash, (uint64) row->rebalance_timeout);
}

void
pgt_classic_rows_write_member(KafkaMemberRows *rows, const ClassicGroup *group, ClassicMember *member)
{
	KafkaBytes	assignment = group->storing ? member->next_assignment : member->assignment;
	KafkaBytes	subscription = {NULL, -1};
	KafkaMemberRow row = {
		.id = member->id,
		.instance_id = member->instance_id,
		.client_id = member->client_id,
		.client_host = member->client_host,
		.session_timeout = member->session_timeout,
		.rebalance_timeout = member->rebalance_timeout,
		.epoch = group->generation,
		.assignment = group_bytes(assignment.data, assignment.length),
		.state = state_of(group, member)
	};
	uint64		hash;

	if (group->protocol != NULL)
		subscription = pgt_classic_member_metadata(member, pgt_broker_string(group->protocol->by_name.id));
	row.subscription = group_bytes(subscription.data, subscription.length);
	hash = hash_row(&row);
	if (!member->stored || member->stored_hash != hash)
		pgt_kafka_member_rows_write(rows, &row);
	member->stored = true;
	member->stored_hash = hash;
}

/* ---- loading --------------------------------------------------------------------- */

/* What is left of a state. */
typedef struct StateReader
{
	const char *next;
	const char *end;
} StateReader;

/* Take so many bytes off; NULL if there are not as many. */
static const char *
take(StateReader *reader, int32 length)
{
	const char *taken = reader->next;

	if (length < 0 || reader->end - reader->next < length)
		return NULL;
	reader->next += length;
	return taken;
}

static bool
take_int16(StateReader *reader, int16 *value)
{
	const char *bytes = take(reader, sizeof(uint16));
	uint16		number;

	if (bytes == NULL)
		return false;
	memcpy(&number, bytes, sizeof(number));
	*value = (int16) pg_ntoh16(number);
	return true;
}

static bool
take_int32(StateReader *reader, int32 *value)
{
	const char *bytes = take(reader, sizeof(uint32));
	uint32		number;

	if (bytes == NULL)
		return false;
	memcpy(&number, bytes, sizeof(number));
	*value = (int32) pg_ntoh32(number);
	return true;
}

/* Begin to read a state; false if it is no such thing. */
static bool
begin(StateReader *reader, KafkaGroupBytes state)
{
	const char *version;

	reader->next = state.data;
	reader->end = state.data + state.length;
	version = state.data == NULL ? NULL : take(reader, 1);
	return version != NULL && *version == STATE_VERSION;
}

bool
pgt_classic_rows_load_group(ClassicGroup *group, const KafkaGroupRow *row)
{
	StateReader reader;
	const char *whole = begin(&reader, row->state) ? take(&reader, 1) : NULL;
	int32		reserved = row->epoch;
	MemoryContext caller = CurrentMemoryContext;

	if (whole != NULL)
		(void) take_int32(&reader, &reserved);
	MemoryContextSwitchTo(pgt_group_coordinator_memory());
	pgt_classic_group_load(group, row->protocol_type, row->epoch, Max(reserved, row->epoch));
	MemoryContextSwitchTo(caller);
	group->rebalance_due = whole != NULL && *whole == STATE_DUE;
	return whole != NULL && (*whole == STATE_WHOLE || *whole == STATE_DUE);
}

/* The next protocol of a member. */
static bool
take_protocol(StateReader *reader, const KafkaMemberRow *row, KafkaJoinGroupRequestProtocol *protocol)
{
	int16		name_length;
	int32		metadata_length;

	if (!take_int16(reader, &name_length))
		return false;
	protocol->name = (KafkaString) {take(reader, name_length), name_length};
	if (protocol->name.data == NULL || !take_int32(reader, &metadata_length))
		return false;
	if (metadata_length == -1)
		protocol->metadata = (KafkaBytes) {row->subscription.data, row->subscription.length};
	else
		protocol->metadata = (KafkaBytes) {take(reader, metadata_length), metadata_length};
	return metadata_length == -1 || protocol->metadata.data != NULL;
}

/* The protocols of a member, palloc'd; returns how many. */
static int32
take_protocols(const KafkaMemberRow *row, KafkaJoinGroupRequestProtocol **protocols)
{
	StateReader reader;
	int32		count = 0;

	*protocols = NULL;
	if (!begin(&reader, row->state) || !take_int32(&reader, &count) || count <= 0 || count > CLASSIC_GROUP_MAX_PROTOCOLS)
		return 0;
	*protocols = palloc0(count * sizeof(KafkaJoinGroupRequestProtocol));
	for (int32 i = 0; i < count; i++)
		if (!take_protocol(&reader, row, &(*protocols)[i]))
			return 0;
	return count;
}

void
pgt_classic_rows_load_member(ClassicGroup *group, const KafkaGroupRow *group_row, const KafkaMemberRow *row)
{
	ClassicMemberOrigin origin = {
		.id = pgt_broker_string(row->id),
		.instance_id = row->instance_id == NULL ? (KafkaString) {NULL, -1} : pgt_broker_string(row->instance_id),
		.client_id = pgt_broker_string(row->client_id),
		.client_host = pgt_broker_string(row->client_host),
		.session_timeout = row->session_timeout,
		.rebalance_timeout = row->rebalance_timeout
	};
	KafkaJoinGroupRequestProtocol *protocols;
	int32		count = take_protocols(row, &protocols);
	MemoryContext caller;

	if (count == 0)
		return;
	caller = MemoryContextSwitchTo(pgt_group_coordinator_memory());
	pgt_classic_group_load_member(group, &origin, protocols, count,
								  (KafkaBytes) {row->assignment.data, row->assignment.length}, pgt_clock_monotonic_us());
	MemoryContextSwitchTo(caller);
}
