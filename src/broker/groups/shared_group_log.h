/*
 * shared_group_log.h
 *	  What the server's log is told of groups that Kafka's clients and others want at the same time.
 *
 * Clients ask again and again, so each of these lines is written every 10 seconds at most, whatever group it is about.
 */
#ifndef SHARED_GROUP_LOG_H
#define SHARED_GROUP_LOG_H

#include "group/kafka_claim.h"
#include "kafka/kafka_types.h"

/* A member has to wait for a partition: the group's role may not have it, or it is in use in SQL. */
extern void pgt_shared_group_log_waiting(const char *group, const char *topic, int32 partition, KafkaClaim why);

/* A client cannot join a classic group, since a member in SQL is alive. */
extern void pgt_shared_group_log_refused(const char *group, KafkaString topic, const char *member);

#endif							/* SHARED_GROUP_LOG_H */
