/*
 * classic_member.c
 *	  A member of a classic group, and the protocols (assignors) that it supports.
 *
 * What a member is, not what becomes of it: that is the group's affair (classic_group.c).
 */
#include "postgres.h"

#include "coordinator/classic_member.h"

/* Copy a string behind others, with a zero byte; returns the copy. */
static char *
pack_string(char **next, KafkaString string)
{
	char	   *copy = *next;

	memcpy(copy, string.data, string.length);
	copy[string.length] = '\0';
	*next += string.length + 1;
	return copy;
}

/* How many bytes that takes; null takes none. */
static Size
packed_size(KafkaString string)
{
	return string.length < 0 ? 0 : (Size) string.length + 1;
}

ClassicMember *
pgt_classic_member_make(const ClassicMemberOrigin *origin)
{
	Size		strings = packed_size(origin->id) + packed_size(origin->instance_id) +
		packed_size(origin->client_id) + packed_size(origin->client_host);
	ClassicMember *member = palloc0(sizeof(ClassicMember) + strings);
	char	   *next = (char *) (member + 1);

	member->id = pack_string(&next, origin->id);
	if (origin->instance_id.length >= 0)
		member->instance_id = pack_string(&next, origin->instance_id);
	member->client_id = pack_string(&next, origin->client_id);
	member->client_host = pack_string(&next, origin->client_host);
	member->session_timeout = origin->session_timeout;
	member->rebalance_timeout = origin->rebalance_timeout;
	pgt_deadline_init(&member->session);
	return member;
}

void
pgt_classic_member_free(ClassicMember *member)
{
	pgt_classic_member_clear_bytes(&member->assignment);
	pgt_classic_member_clear_bytes(&member->next_assignment);
	if (member->protocols != NULL)
		pfree(member->protocols);
	if (member->replaced_leader != NULL)
		pfree(member->replaced_leader);
	pfree(member);
}

Size
pgt_classic_member_size(const ClassicMember *member)
{
	Size		size = sizeof(ClassicMember) + strlen(member->id) + strlen(member->client_id) + strlen(member->client_host);

	if (member->instance_id != NULL)
		size += strlen(member->instance_id);
	if (member->protocols != NULL)
		size += member->protocols->size;
	return size + member->assignment.length + member->next_assignment.length;
}

/* The part of the size that is not bytes of members. */
static Size
protocols_head(int32 count)
{
	return offsetof(ClassicMemberProtocols, items) + count * sizeof(ClassicMemberProtocol);
}

Size
pgt_classic_member_protocols_size(const KafkaJoinGroupRequestProtocol *protocols, int32 count)
{
	Size		size = protocols_head(count);

	for (int32 i = 0; i < count; i++)
		size += packed_size(protocols[i].name) + Max(protocols[i].metadata.length, 0);
	return size;
}

void
pgt_classic_member_fill_protocols(ClassicMemberProtocols *copy, const KafkaJoinGroupRequestProtocol *protocols, int32 count)
{
	char	   *next = (char *) copy + protocols_head(count);

	copy->size = pgt_classic_member_protocols_size(protocols, count);
	copy->count = count;
	for (int32 i = 0; i < count; i++)
	{
		ClassicMemberProtocol *item = &copy->items[i];

		item->name = (KafkaString) {pack_string(&next, protocols[i].name), protocols[i].name.length};
		item->metadata = (KafkaBytes) {next, Max(protocols[i].metadata.length, 0)};
		if (item->metadata.length > 0)
			memcpy(next, protocols[i].metadata.data, item->metadata.length);
		next += item->metadata.length;
	}
}

ClassicMemberProtocols *
pgt_classic_member_copy_protocols(const KafkaJoinGroupRequestProtocol *protocols, int32 count)
{
	ClassicMemberProtocols *copy = palloc(pgt_classic_member_protocols_size(protocols, count));

	pgt_classic_member_fill_protocols(copy, protocols, count);
	return copy;
}

KafkaBytes
pgt_classic_member_copy_bytes(KafkaBytes bytes)
{
	char	   *copy;

	if (bytes.length <= 0)
		return (KafkaBytes) {NULL, 0};
	copy = palloc(bytes.length);
	memcpy(copy, bytes.data, bytes.length);
	return (KafkaBytes) {copy, bytes.length};
}

void
pgt_classic_member_clear_bytes(KafkaBytes *bytes)
{
	if (bytes->data != NULL)
		pfree((char *) bytes->data);
	*bytes = (KafkaBytes) {NULL, 0};
}

/* Are bytes the same?  Null is empty. */
static bool
equal(const char *a, int32 a_length, const char *b, int32 b_length)
{
	a_length = Max(a_length, 0);
	b_length = Max(b_length, 0);
	return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

bool
pgt_classic_member_protocols_match(const ClassicMemberProtocols *own, const KafkaJoinGroupRequestProtocol *protocols,
								   int32 count)
{
	if (own->count != count)
		return false;
	for (int32 i = 0; i < count; i++)
	{
		const ClassicMemberProtocol *item = &own->items[i];

		if (!equal(item->name.data, item->name.length, protocols[i].name.data, protocols[i].name.length) ||
			!equal(item->metadata.data, item->metadata.length, protocols[i].metadata.data, protocols[i].metadata.length))
			return false;
	}
	return true;
}

bool
pgt_classic_member_matches(const ClassicMember *member, const KafkaJoinGroupRequestProtocol *protocols, int32 count)
{
	return pgt_classic_member_protocols_match(member->protocols, protocols, count);
}

const ClassicMemberProtocol *
pgt_classic_member_find_protocol(const ClassicMemberProtocols *own, KafkaString name)
{
	for (int32 i = 0; i < own->count; i++)
		if (equal(own->items[i].name.data, own->items[i].name.length, name.data, name.length))
			return &own->items[i];
	return NULL;
}

KafkaBytes
pgt_classic_member_metadata(const ClassicMember *member, KafkaString protocol)
{
	const ClassicMemberProtocol *found = member->protocols == NULL ? NULL :
		pgt_classic_member_find_protocol(member->protocols, protocol);

	return found == NULL ? (KafkaBytes) {NULL, -1} : found->metadata;
}
