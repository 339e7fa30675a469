/*
 * consume_pass.h
 *	  One pass over the topics that a call consumes.
 */
#ifndef CONSUME_PASS_H
#define CONSUME_PASS_H

#include "consume/consume_request.h"
#include "group/lease.h"
#include "utils/snapshot.h"

/* A pass over all topics of a request. */
typedef struct ConsumePass
{
	const ConsumeRequest *request;
	Snapshot	snapshot;		/* decides which records are visible */
	bool		looks;			/* own only partitions with records, consume nothing; remember starts, do not commit them */
	bool		retry;			/* another consumer owns a partition with something to read, and may end unannounced */
	List	   *topics;			/* of ConsumePassTopic, in the order of the topics' oids */
} ConsumePass;

/* The part of a pass that is about one topic. */
typedef struct ConsumePassTopic
{
	ConsumePass *whole;
	ConsumerGroup group;
	Topic	   *topic;
	GroupPartition *offsets;		/* of all partitions; NULL in leased mode */
	LeaseHolder holder;			/* in leased mode: the member that consumes */
	LeaseCall  *lease;			/* in leased mode: the member's call; else NULL */
} ConsumePassTopic;

/* A partition to serve. */
typedef struct ConsumePassPartition
{
	ConsumePassTopic *topic;
	GroupPartition *offset;
} ConsumePassPartition;

/*
 * Open the request's topics and lock them with AccessShareLock.  Topics that are
 * gone are left out if the request allows that; otherwise they are an ERROR, as
 * are topics that the user may not read.  Replaces the topics of an earlier pass.
 */
extern void pgt_consume_pass_open_topics(ConsumePass *pass);

/* Give the locks of pgt_consume_pass_open_topics() back. */
extern void pgt_consume_pass_unlock_topics(const ConsumePass *pass);

/*
 * In transactional mode: read the group's rows, without a lock, and list the
 * partitions to serve, those served least recently first.  Returns how many;
 * *ordered is palloc'd.
 */
extern int	pgt_consume_pass_list(ConsumePass *pass, ConsumePassPartition **ordered);

/* Keep the group's rows in the topics of pgt_consume_pass_list() from expiring. */
extern void pgt_consume_pass_keep_groups(const ConsumePass *pass);

/*
 * In leased mode: begin a call of the member in each topic and list the partitions
 * that it may read, like pgt_consume_pass_list().  pgt_consume_pass_end_member() ends the calls.
 */
extern int	pgt_consume_pass_begin_member(ConsumePass *pass, ConsumePassPartition **ordered);
extern void pgt_consume_pass_end_member(ConsumePass *pass);

/*
 * In leased mode: look, without a lock, at what the member has in one topic.
 * Returns true if its call has something to write there.  If not, *retry is set
 * where another consumer owns a partition that the member could take.
 */
extern bool pgt_consume_pass_look_member(ConsumePassTopic *topic, bool *retry);

/* After pgt_consume_pass_look_member(): the partitions that the member may read in one topic, like pgt_consume_pass_list(). */
extern int	pgt_consume_pass_list_leased(ConsumePassTopic *topic, ConsumePassPartition **ordered);

#endif							/* CONSUME_PASS_H */
