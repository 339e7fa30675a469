/*
 * share_admin.h
 *	  What the APIs have in common that change where share groups stand.
 */
#ifndef SHARE_ADMIN_H
#define SHARE_ADMIN_H

#include "broker/helpers/helper.h"
#include "kafka/kafka_error.h"
#include "share/share_group.h"

/* In the loop: may a group be described, which may have members?  The error, or none.  In a transaction. */
extern KafkaError pgt_share_admin_check_exists(const BrokerRequest *request, KafkaString id);

/* In the loop: hand a request that changes a group to a helper, or refuse it, as where the group has members. */
extern void pgt_share_admin_hand(BrokerRequest *request, KafkaString id,
								 void (*refuse) (BrokerRequest *request, KafkaError error, const char *message));

/*
 * In the helper: work in a topic, for pgt_topic_change_run().  The group in the topic of a name, which is locked, for the current user;
 * throws where there is no such topic, or he may not read it.
 */
extern void pgt_share_admin_open(ShareGroup *group, const char *id, KafkaString topic);

/* What clients know as another error in requests about share groups. */
extern KafkaError pgt_share_admin_error(KafkaError error);

#endif							/* SHARE_ADMIN_H */
