/*
 * classic_heartbeat.c
 *	  Heartbeats, and other signs of life.
 *
 * They are all that most groups ever send, so they cost a look-up and an assignment.
 */
#include "postgres.h"

#include "coordinator/classic_heartbeat.h"

/* Is that a member of the group in its generation? */
static KafkaError
check(const ClassicGroup *group, KafkaString member, KafkaString instance_id, int32 generation)
{
	KafkaError	error = pgt_classic_group_check_member(group, member, instance_id);

	if (error == KAFKA_ERROR_NONE && generation != group->generation)
		error = KAFKA_ERROR_ILLEGAL_GENERATION;
	return error;
}

KafkaError
pgt_classic_heartbeat(ClassicGroup *group, KafkaString member, KafkaString instance_id, int32 generation, int64 now)
{
	KafkaError	error = check(group, member, instance_id, generation);

	if (error != KAFKA_ERROR_NONE)
		return error;
	pgt_classic_group_touch(group, pgt_classic_group_find(group, member), now);
	return group->state == CLASSIC_GROUP_PREPARING_REBALANCE ? KAFKA_ERROR_REBALANCE_IN_PROGRESS : KAFKA_ERROR_NONE;
}

KafkaError
pgt_classic_heartbeat_commit(ClassicGroup *group, KafkaString member, KafkaString instance_id, int32 generation,
							 int64 now)
{
	KafkaError	error;

	if (generation < 0 && group->state == CLASSIC_GROUP_EMPTY)
		return KAFKA_ERROR_NONE;
	/* a consumer that is no member, while there are some */
	if (generation < 0 && member.length <= 0 && instance_id.length < 0)
		return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	error = check(group, member, instance_id, generation);
	if (error != KAFKA_ERROR_NONE)
		return error;
	pgt_classic_group_touch(group, pgt_classic_group_find(group, member), now);
	return group->state == CLASSIC_GROUP_COMPLETING_REBALANCE ? KAFKA_ERROR_REBALANCE_IN_PROGRESS : KAFKA_ERROR_NONE;
}
