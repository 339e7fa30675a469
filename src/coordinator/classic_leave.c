/*
 * classic_leave.c
 *	  LeaveGroup: members that go by themselves, or static ones that an administrator removes.
 */
#include "postgres.h"

#include "coordinator/classic_leave.h"
#include "coordinator/classic_rebalance.h"

KafkaError
pgt_classic_leave(ClassicGroup *group, KafkaString member, KafkaString instance_id, bool *left)
{
	ClassicMember *leaving = pgt_classic_group_find(group, member);
	KafkaError	error = KAFKA_ERROR_NONE;

	if (group->state == CLASSIC_GROUP_DEAD)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	if (member.length <= 0)
	{
		leaving = pgt_classic_group_find_instance(group, instance_id);
		if (leaving == NULL)
			error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	}
	else if (leaving == NULL || !leaving->pending)
		error = pgt_classic_group_check_member(group, member, instance_id);
	if (error != KAFKA_ERROR_NONE)
		return error;
	*left |= !leaving->pending;
	pgt_classic_group_remove(group, leaving, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	return KAFKA_ERROR_NONE;
}

/*
 * One that was pending is only waited for in a rebalance.  Kafka's coordinator begins one for it also in a stable group
 * (GroupMetadataManager.classicGroupLeaveToClassicGroup()), after which all have what they had; here they are spared that.
 */
void
pgt_classic_leave_end(ClassicGroup *group, bool left, int64 now)
{
	if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE)
		pgt_classic_rebalance_try_complete(group, now);
	else if (left)
		pgt_classic_rebalance_begin(group, now);
}
