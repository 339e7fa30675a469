/*
 * modern_format.c
 *	  Groups of the new protocol as bytes: what of them survives the process.
 *
 * A group's bytes have its topics, with the target of each partition, and what its regular expressions match.
 * Members stand in them by their number in a list of ids, since a target names the same few members for many
 * partitions.  A member's bytes have what it is subscribed to and what it owns.  So a rebalance writes
 * the group once, and each member when it moves.
 *
 *	  group			byte version, int32 assignment epoch,
 *					[string pattern, [string name]],
 *					[string member],
 *					[uuid topic, string name, byte subscribed, int32 count, int32 room, count times int32 member]
 *	  subscription	byte version, [string name]
 *	  assignment	byte version, [uuid topic, [int32 partition, int32 epoch, byte revoking]]
 *	  state			byte version, int32 previous epoch, byte state, string rack, string assignor, string pattern,
 *					of version 2, for members that speak the classic protocol:
 *					int32 session timeout, [string protocol, string metadata]
 *
 * [...] is an int32 count, and so many of that.  A string is an int32 length, -1 for none, and its bytes.  Numbers are in
 * the order of the network.
 *
 * Readers check each length, and the bytes must end where they should.  Deadlines are not written: whoever
 * reads gives members their full time.
 */
#include "postgres.h"

#include "coordinator/assignor_list.h"
#include "coordinator/modern_format.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#define FORMAT_VERSION	1
#define FORMAT_CLASSIC	2		/* of a member's state */

/* ---- writing ---------------------------------------------------------------- */

static void
put_byte(StringInfo out, int value)
{
	appendStringInfoChar(out, (char) value);
}

static void
put_int32(StringInfo out, int32 value)
{
	uint32		bytes = pg_hton32((uint32) value);

	appendBinaryStringInfo(out, (const char *) &bytes, sizeof(bytes));
}

static void
put_string(StringInfo out, const char *string)
{
	if (string == NULL)
	{
		put_int32(out, -1);
		return;
	}
	put_int32(out, (int32) strlen(string));
	appendBinaryStringInfo(out, string, (int) strlen(string));
}

static void
put_strings(StringInfo out, char **strings, int32 count)
{
	put_int32(out, count);
	for (int32 i = 0; i < count; i++)
		put_string(out, strings[i]);
}

static void
put_topic(StringInfo out, const ModernTopic *topic)
{
	appendBinaryStringInfo(out, (const char *) topic->id.bytes, sizeof(topic->id));
	put_string(out, topic->name);
	put_byte(out, topic->subscribed);
	put_int32(out, topic->count);
	put_int32(out, topic->room);
	for (int32 p = 0; p < topic->count; p++)
		put_int32(out, topic->partitions[p].target == NULL ? -1 : topic->partitions[p].target->index);
}

void
pgt_modern_format_group(const ModernGroup *group, StringInfo out)
{
	put_byte(out, FORMAT_VERSION);
	put_int32(out, group->assignment_epoch);
	put_int32(out, group->regex_count);
	for (int32 i = 0; i < group->regex_count; i++)
	{
		put_string(out, group->regexes[i]->pattern);
		put_strings(out, group->regexes[i]->names, group->regexes[i]->count);
	}
	put_int32(out, group->member_count);
	for (int32 m = 0; m < group->member_count; m++)
		put_string(out, group->members[m]->id);
	put_int32(out, group->topic_count);
	for (int32 t = 0; t < group->topic_count; t++)
		put_topic(out, group->topics[t]);
}

/* Let a number that was put before be another one. */
static void
set_int32(StringInfo out, int place, int32 value)
{
	uint32		bytes = pg_hton32((uint32) value);

	memcpy(out->data + place, &bytes, sizeof(bytes));
}

/* What a member has of a topic, unless that is nothing; false.  All topics are gone through for each member: in one pass. */
static bool
put_owned(StringInfo out, const ModernTopic *topic, const ModernMember *member)
{
	int			begin = out->len;
	int32		count = 0;

	for (int32 p = 0; p < topic->room; p++)
	{
		if (topic->partitions[p].owner != member)
			continue;
		if (count++ == 0)
		{
			appendBinaryStringInfo(out, (const char *) topic->id.bytes, sizeof(topic->id));
			put_int32(out, 0);
		}
		put_int32(out, p);
		put_int32(out, topic->partitions[p].epoch);
		put_byte(out, topic->partitions[p].revoking);
	}
	if (count > 0)
		set_int32(out, begin + (int) sizeof(topic->id), count);
	return count > 0;
}

/* What a member owns. */
static void
put_assignment(StringInfo out, const ModernGroup *group, const ModernMember *member)
{
	int			place = out->len + 1;
	int32		topics = 0;

	put_byte(out, FORMAT_VERSION);
	put_int32(out, 0);
	for (int32 t = 0; t < group->topic_count; t++)
		topics += put_owned(out, group->topics[t], member);
	set_int32(out, place, topics);
}

/* What a member has that speaks the classic protocol. */
static void
put_classic(StringInfo out, const ModernMember *member)
{
	put_int32(out, member->session_timeout);
	put_int32(out, member->protocols->count);
	for (int32 i = 0; i < member->protocols->count; i++)
	{
		const ClassicMemberProtocol *protocol = &member->protocols->items[i];

		put_int32(out, protocol->name.length);
		appendBinaryStringInfo(out, protocol->name.data, protocol->name.length);
		put_int32(out, protocol->metadata.length);
		appendBinaryStringInfo(out, protocol->metadata.data, protocol->metadata.length);
	}
}

void
pgt_modern_format_member(const ModernGroup *group, const ModernMember *member, ModernMemberBytes *out)
{
	const ModernSubscription *subscription = member->subscription;

	initStringInfo(&out->subscription);
	put_byte(&out->subscription, FORMAT_VERSION);
	put_strings(&out->subscription, subscription->names, subscription->count);
	initStringInfo(&out->assignment);
	put_assignment(&out->assignment, group, member);
	initStringInfo(&out->state);
	put_byte(&out->state, member->protocols == NULL ? FORMAT_VERSION : FORMAT_CLASSIC);
	put_int32(&out->state, member->previous_epoch);
	put_byte(&out->state, member->state);
	put_string(&out->state, member->rack_id);
	put_string(&out->state, member->assignor == NULL ? NULL : member->assignor->name);
	put_string(&out->state, subscription->regex == NULL ? NULL : subscription->regex->pattern);
	if (member->protocols != NULL)
		put_classic(&out->state, member);
}

/* ---- reading ------------------------------------------------------------------ */

/* Bytes that are being read.  Once something was wrong, all that follows is 0 or empty. */
typedef struct FormatReader
{
	const char *next;
	const char *end;
	bool		good;
} FormatReader;

/* The targets of a topic's partitions: indexes in the list of ids. */
typedef struct LoadTargets
{
	ModernTopic *topic;
	int32	   *members;
} LoadTargets;

struct ModernLoad
{
	ModernGroup *group;
	char	  **ids;			/* the members that the group's bytes name */
	int32		id_count;
	LoadTargets *targets;
	int32		target_count;
};

static FormatReader
begin_reading(KafkaBytes bytes)
{
	FormatReader reader = {.next = bytes.data, .end = bytes.data + Max(bytes.length, 0), .good = bytes.length > 0};

	return reader;
}

/* So many bytes; NULL if there are not. */
static const char *
get_bytes(FormatReader *reader, int64 length)
{
	const char *bytes = reader->next;

	if (!reader->good || length < 0 || length > reader->end - reader->next)
	{
		reader->good = false;
		return NULL;
	}
	reader->next += length;
	return bytes;
}

static int
get_byte(FormatReader *reader)
{
	const char *byte = get_bytes(reader, 1);

	return byte == NULL ? 0 : (unsigned char) *byte;
}

static int32
get_int32(FormatReader *reader)
{
	const char *bytes = get_bytes(reader, sizeof(uint32));
	uint32		value;

	if (bytes == NULL)
		return 0;
	memcpy(&value, bytes, sizeof(value));
	return (int32) pg_ntoh32(value);
}

/* A count of things that have so many bytes each at least. */
static int32
get_count(FormatReader *reader, int least)
{
	int32		count = get_int32(reader);

	if (count < 0 || (int64) count * least > reader->end - reader->next)
		reader->good = false;
	return reader->good ? count : 0;
}

/* A string that points into the bytes; length -1: none. */
static KafkaString
get_string(FormatReader *reader)
{
	KafkaString string = {.length = get_int32(reader)};

	if (string.length < 0 || !reader->good)
		string.length = -1;
	else
		string.data = get_bytes(reader, string.length);
	if (string.data == NULL)
		string.length = -1;
	return string;
}

/* A copy of a string, palloc'd; "" for none. */
static char *
get_cstring(FormatReader *reader)
{
	KafkaString string = get_string(reader);

	return string.length < 0 ? pstrdup("") : pnstrdup(string.data, string.length);
}

static KafkaString *
get_strings(FormatReader *reader, int32 *count)
{
	KafkaString *strings;

	*count = get_count(reader, sizeof(uint32));
	strings = palloc(Max(*count, 1) * sizeof(KafkaString));
	for (int32 i = 0; i < *count; i++)
		strings[i] = get_string(reader);
	return strings;
}

static bool
is_at_end(const FormatReader *reader)
{
	return reader->good && reader->next == reader->end;
}

static void
get_regexes(FormatReader *reader, ModernGroup *group)
{
	int32		count = get_count(reader, 2 * sizeof(uint32));

	for (int32 i = 0; i < count && reader->good; i++)
	{
		KafkaString pattern = get_string(reader);
		int32		name_count = get_count(reader, sizeof(uint32));
		char	  **names = palloc(Max(name_count, 1) * sizeof(char *));

		for (int32 k = 0; k < name_count; k++)
			names[k] = get_cstring(reader);
		if (pattern.length >= 0)
			pgt_modern_group_add_regex(group, pattern, names, name_count);
	}
}

/* A topic of that id is in the array, with room for so many partitions. */
static ModernTopic *
make_topic(ModernGroup *group, const KafkaUuid *id, const char *name, int32 room)
{
	ModernTopic *topic = MemoryContextAllocZero(group->memory, sizeof(ModernTopic));
	ModernTopic **topics = MemoryContextAlloc(group->memory, (group->topic_count + 1) * sizeof(ModernTopic *));
	int32		place = 0;

	topic->id = *id;
	topic->name = MemoryContextStrdup(group->memory, name);
	topic->partitions = MemoryContextAllocZero(group->memory, (Size) Max(room, 1) * sizeof(ModernPartition));
	topic->room = room;
	while (place < group->topic_count && memcmp(&group->topics[place]->id, id, sizeof(*id)) < 0)
		place++;
	if (group->topic_count > 0)
	{
		memcpy(topics, group->topics, place * sizeof(ModernTopic *));
		memcpy(topics + place + 1, group->topics + place, (group->topic_count - place) * sizeof(ModernTopic *));
		pfree(group->topics);
	}
	topics[place] = topic;
	group->topics = topics;
	group->topic_count++;
	return topic;
}

static KafkaUuid
get_uuid(FormatReader *reader)
{
	KafkaUuid	id = {{0}};
	const char *bytes = get_bytes(reader, sizeof(id));

	if (bytes != NULL)
		memcpy(&id, bytes, sizeof(id));
	return id;
}

/* A topic, and the targets of its partitions. */
static void
get_topic(FormatReader *reader, ModernLoad *load, LoadTargets *targets)
{
	KafkaUuid	id = get_uuid(reader);
	char	   *name = get_cstring(reader);
	bool		subscribed = get_byte(reader) != 0;
	int32		count = get_int32(reader);
	int32		room = get_int32(reader);
	ModernTopic *topic;

	if (count < 0 || room < count || room > MaxAllocSize / (int32) sizeof(ModernPartition) ||
		(int64) count * (int64) sizeof(uint32) > reader->end - reader->next ||
		pgt_modern_group_find_topic(load->group, &id) != NULL)
		reader->good = false;
	if (!reader->good)
		return;
	topic = make_topic(load->group, &id, name, room);
	topic->subscribed = subscribed;
	topic->count = count;
	targets->topic = topic;
	targets->members = palloc(Max(count, 1) * sizeof(int32));
	for (int32 p = 0; p < count; p++)
		targets->members[p] = get_int32(reader);
}

ModernLoad *
pgt_modern_format_load(ModernGroup *group, int32 epoch, KafkaBytes bytes)
{
	FormatReader reader = begin_reading(bytes);
	ModernLoad *load = palloc0(sizeof(ModernLoad));
	int32		topics;

	load->group = group;
	group->epoch = epoch;
	if (get_byte(&reader) != FORMAT_VERSION)
		return NULL;
	group->assignment_epoch = get_int32(&reader);
	get_regexes(&reader, group);
	load->id_count = get_count(&reader, sizeof(uint32));
	load->ids = palloc(Max(load->id_count, 1) * sizeof(char *));
	for (int32 i = 0; i < load->id_count; i++)
		load->ids[i] = get_cstring(&reader);
	topics = get_count(&reader, sizeof(KafkaUuid));
	load->targets = palloc0(Max(topics, 1) * sizeof(LoadTargets));
	while (load->target_count < topics && reader.good)
		get_topic(&reader, load, &load->targets[load->target_count++]);
	return is_at_end(&reader) ? load : NULL;
}

/* What a member owns of a topic, which the group knows. */
static void
get_owned(FormatReader *reader, ModernGroup *group, ModernMember *member)
{
	KafkaUuid	id = get_uuid(reader);
	int32		count = get_count(reader, 2 * sizeof(uint32) + 1);
	ModernTopic *topic = pgt_modern_group_find_topic(group, &id);

	for (int32 i = 0; i < count && reader->good; i++)
	{
		int32		partition = get_int32(reader);
		int32		epoch = get_int32(reader);
		bool		revoking = get_byte(reader) != 0;

		if (topic == NULL || partition < 0 || partition >= topic->room || topic->partitions[partition].owner != NULL)
			reader->good = false;
		if (!reader->good)
			return;
		topic->partitions[partition].owner = member;
		topic->partitions[partition].epoch = epoch;
		topic->partitions[partition].revoking = revoking;
	}
}

static bool
get_assignment(KafkaBytes bytes, ModernGroup *group, ModernMember *member)
{
	FormatReader reader = begin_reading(bytes);
	int32		topics;

	if (get_byte(&reader) != FORMAT_VERSION)
		return false;
	topics = get_count(&reader, sizeof(KafkaUuid));
	for (int32 t = 0; t < topics && reader.good; t++)
		get_owned(&reader, group, member);
	return is_at_end(&reader);
}

/* What a member has that speaks the classic protocol. */
static void
get_classic(FormatReader *reader, ModernGroup *group, ModernMember *member)
{
	KafkaJoinGroupRequestProtocol *protocols;
	int32		count;

	member->session_timeout = get_int32(reader);
	count = get_count(reader, 2 * sizeof(uint32));
	protocols = palloc0(Max(count, 1) * sizeof(KafkaJoinGroupRequestProtocol));
	for (int32 i = 0; i < count; i++)
	{
		KafkaString metadata;

		protocols[i].name = get_string(reader);
		metadata = get_string(reader);
		protocols[i].metadata = (KafkaBytes) {metadata.data, metadata.length};
		if (protocols[i].name.length < 0)
			reader->good = false;
	}
	if (!reader->good || count == 0)
	{
		reader->good = false;
		return;
	}
	member->protocols = MemoryContextAlloc(group->memory, pgt_classic_member_protocols_size(protocols, count));
	pgt_classic_member_fill_protocols(member->protocols, protocols, count);
}

/* The subscription, and what else there is; false if the bytes are not good. */
static bool
get_state(const ModernMemberRow *row, ModernGroup *group, ModernMember *member)
{
	FormatReader names = begin_reading(row->subscription);
	FormatReader reader = begin_reading(row->state);
	int			version = get_byte(&reader);
	bool		versions = get_byte(&names) == FORMAT_VERSION && (version == FORMAT_VERSION || version == FORMAT_CLASSIC);
	int32		count;
	KafkaString *strings = get_strings(&names, &count);
	KafkaString rack;
	KafkaString assignor;
	KafkaString pattern;
	ModernRegex *regex;

	member->previous_epoch = get_int32(&reader);
	member->state = get_byte(&reader);
	rack = get_string(&reader);
	assignor = get_string(&reader);
	pattern = get_string(&reader);
	if (versions && version == FORMAT_CLASSIC)
		get_classic(&reader, group, member);
	if (!versions || !is_at_end(&names) || !is_at_end(&reader) || member->state > MODERN_UNRELEASED)
		return false;
	regex = pattern.length < 0 ? NULL : pgt_modern_group_find_regex(group, pattern);
	if (pattern.length >= 0 && regex == NULL)
		regex = pgt_modern_group_add_regex(group, pattern, NULL, 0);
	member->subscription = pgt_modern_group_subscribe(group, strings, count, regex);
	member->assignor = assignor.length < 0 ? NULL : pgt_assignor_list_find(assignor);
	if (rack.length >= 0)
		member->rack_id = MemoryContextStrdup(group->memory, pnstrdup(rack.data, rack.length));
	return true;
}

static char *
keep(ModernGroup *group, const char *string)
{
	return string == NULL ? NULL : MemoryContextStrdup(group->memory, string);
}

bool
pgt_modern_format_load_member(ModernLoad *load, const ModernMemberRow *row)
{
	ModernGroup *group = load->group;
	ModernMember *member = MemoryContextAllocZero(group->memory, sizeof(ModernMember));
	KafkaString id = {.data = row->id, .length = (int32) strlen(row->id)};

	member->session_deadline = member->revoke_deadline = member->rejoin_deadline = member->sync_deadline = MODERN_NEVER;
	if (pgt_modern_group_find_member(group, id) != NULL || !get_state(row, group, member))
		return false;
	pgt_modern_group_make_room(group);
	member->gone = MemoryContextAllocZero(group->memory, sizeof(ModernGone));
	member->id = keep(group, row->id);
	member->instance_id = keep(group, row->instance_id);
	member->client_id = keep(group, row->client_id != NULL ? row->client_id : "");
	member->client_host = keep(group, row->client_host != NULL ? row->client_host : "");
	member->rebalance_timeout = row->rebalance_timeout;
	member->epoch = row->epoch;
	pgt_modern_group_add_member(group, member);
	if (!get_assignment(row->assignment, group, member))
	{
		pgt_modern_group_remove_member(group, member);
		return false;
	}
	return true;
}

void
pgt_modern_format_loaded(ModernLoad *load)
{
	ModernGroup *group = load->group;
	ModernMember **members = palloc0(Max(load->id_count, 1) * sizeof(ModernMember *));

	for (int32 i = 0; i < load->id_count; i++)
	{
		KafkaString id = {.data = load->ids[i], .length = (int32) strlen(load->ids[i])};

		members[i] = pgt_modern_group_find_member(group, id);
	}
	for (int32 t = 0; t < load->target_count; t++)
		for (int32 p = 0; p < load->targets[t].topic->count; p++)
		{
			int32		m = load->targets[t].members[p];

			load->targets[t].topic->partitions[p].target = m < 0 || m >= load->id_count ? NULL : members[m];
		}
	group->stale = true;
	group->dirty = false;
}
