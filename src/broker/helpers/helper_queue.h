/*
 * helper_queue.h
 *	  Requests that wait for a helper process, in turns by role.
 */
#ifndef HELPER_QUEUE_H
#define HELPER_QUEUE_H

#include "broker/core/broker.h"
#include "kafka/kafka_error.h"

#define HELPER_QUEUE_HELPERS	4	/* helper processes, at most */
#define HELPER_QUEUE_LEFT_MAX	8	/* tasks that nobody waits for; of one role half of that */

struct HelperRole;

/* Something to be done by a helper. */
typedef struct HelperTask
{
	dlist_node	node;			/* in the queue */
	struct HelperRole *role;	/* whose task it is */
	BrokerRequest *request;		/* NULL: nobody waits for it */
	void		(*refuse) (BrokerRequest *request, KafkaError error, const char *message);
	int64		deadline;
	bool		queued;
	bool		held;			/* by a helper */
	bool		left;			/* counts among HELPER_QUEUE_LEFT_MAX */
	bool		done;			/* the request has been woken for the reply, or the error */
	char	   *message;		/* a HelperMessage and a frame; behind the task in its memory */
	Size		length;
	char	   *reply;			/* NULL: the helper has ended */
	Size		reply_length;
} HelperTask;

/* A task with a copy of what is to be sent, which stands in no queue yet. */
extern HelperTask *pgt_helper_queue_make(const BrokerRequest *request, int32 timeout_ms);

/* May a role leave one more task that nobody waits for? */
extern bool pgt_helper_queue_may_leave(Oid role);

/* The task is one of these. */
extern void pgt_helper_queue_note_left(HelperTask *task);

/* Put a task into the queue; before all others of its role, if it has been in there before. */
extern void pgt_helper_queue_add(HelperTask *task, bool first);

/* Take a task out of the queue that no helper will have. */
extern void pgt_helper_queue_remove(HelperTask *task);

/* Take out the task that a helper is to have next; NULL if there is none. */
extern HelperTask *pgt_helper_queue_take(void);

/* The helper does not have it any more. */
extern void pgt_helper_queue_give_back(HelperTask *task);

/* How many tasks helpers could take now, if there were any number of them. */
extern int	pgt_helper_queue_ready(void);

/* Remove tasks that nobody waits for, and whose time is up. */
extern void pgt_helper_queue_expire(void);

/* The task is neither in the queue nor with a helper: free it. */
extern void pgt_helper_queue_free(HelperTask *task);

#endif							/* HELPER_QUEUE_H */
