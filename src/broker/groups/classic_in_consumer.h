/*
 * classic_in_consumer.h
 *	  Members that speak the classic protocol in groups of the new one.
 */
#ifndef CLASSIC_IN_CONSUMER_H
#define CLASSIC_IN_CONSUMER_H

#include "broker/groups/consumer_store.h"

/* The group of the new protocol of that id that has members; NULL: there is none. */
extern ConsumerStoreGroup *pgt_classic_in_consumer_find(KafkaString id);

/*
 * JoinGroup, answered when that is durable.  If the group is no such group any more when its turn comes, "again" is called,
 * with request->state as it was.  Strings of the message and the ids live as long as the request.
 */
extern void pgt_classic_in_consumer_join(BrokerRequest *request, const ModernJoin *message, const char *client_id,
										 const char *new_member_id, void (*again) (BrokerRequest *request));

/* LeaveGroup, likewise.  "leave" lets members go, and fills in the response. */
extern void pgt_classic_in_consumer_leave(BrokerRequest *request, KafkaString group_id,
										  void (*leave) (BrokerRequest *request, ModernGroup *group, KafkaLeaveGroupResponse *response),
										  void (*again) (BrokerRequest *request));

/* SyncGroup and Heartbeat: the error, or none. */
extern KafkaError pgt_classic_in_consumer_sync(ConsumerStoreGroup *entry, const ModernClassicCall *call,
											   const ModernMember **member);
extern KafkaError pgt_classic_in_consumer_beat(ConsumerStoreGroup *entry, const ModernClassicCall *call);

#endif							/* CLASSIC_IN_CONSUMER_H */
