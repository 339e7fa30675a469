/*
 * helper.h
 *	  Requests that may wait: what the loop and the helper processes agree on.
 *
 * The loop waits for nothing, but statements that create, alter or drop a topic wait for locks and
 * for the disk.  A request of that kind goes as it is, with the role of its client, to a helper
 * process of the database (helper_process.c), through queues of shared memory that helper_pool.c
 * keeps.  What comes back is the frame of the answer.
 *
 * An API of that kind has two parts.  In the loop it is served by
 *
 *	  static void
 *	  serve(BrokerRequest *request)
 *	  {
 *		  pgt_helper_pool_hand(request, timeout_ms, refuse);
 *	  }
 *
 * and in the helper by the function run() of its HelperApi, which api_table.c lists:
 *
 *	  static void
 *	  run(HelperCall *call)
 *	  {
 *		  const KafkaCreateTopicsRequest *body = call->request.kafka.body;
 *		  ...
 *		  pgt_helper_answer(call, &response);
 *	  }
 *
 * run() is called outside of a transaction, with the superuser as the current user, and does its work
 * in transactions as the client's role (topic_change.h).  It may wait until call->deadline.  An
 * ERROR that leaves it is logged, and closes the client's connection.
 */
#ifndef HELPER_H
#define HELPER_H

#include "broker/core/broker.h"
#include "lib/stringinfo.h"

/* ---- a request in the helper -------------------------------------------------- */

typedef struct HelperCall
{
	BrokerRequest request;		/* decoded; it has neither a client nor an exchange */
	Oid			role;			/* of the client; it may be gone */
	int64		deadline;		/* by the monotonic clock, which all processes share */
	StringInfoData reply;		/* what the loop is sent */
} HelperCall;

typedef struct HelperApi
{
	int16		key;			/* KAFKA_API_... */
	void		(*run) (HelperCall *call);
} HelperApi;

/*
 * Call serve() for each of a request's names, with its number among them and that of its entry in the response.  Those
 * that are equal have one entry, for which it is called once and is_repeated is true.  Returns how many entries there are.
 */
extern int32 pgt_helper_each_name(const KafkaString *names, int32 count,
								  void (*serve) (void *arg, int32 item, int32 entry, bool is_repeated), void *arg);

/* Answer with the structure of the API's response. */
extern void pgt_helper_answer(HelperCall *call, const void *response);

/* Nobody waits for an answer; where something is wrong, the loop may tell the server's log. */
extern void pgt_helper_done(HelperCall *call, const char *problem);

/* ---- between the processes ------------------------------------------------------ */

/* A segment of dynamic shared memory for each helper process: two queues. */
#define HELPER_QUEUE_BYTES	65536
#define HELPER_SEGMENT_BYTES	(2 * (Size) HELPER_QUEUE_BYTES)
#define HELPER_CALLS(segment)	((char *) dsm_segment_address(segment))
#define HELPER_REPLIES(segment)	((char *) dsm_segment_address(segment) + HELPER_QUEUE_BYTES)

/* A message of the loop begins so; the request's frame follows. */
typedef struct HelperMessage
{
	int64		deadline;
	Oid			role;
} HelperMessage;

/* A message of the helper: a byte, and what follows. */
#define HELPER_READY		'r' /* it is connected: nothing */
#define HELPER_BEGUN		'b' /* it serves the task: nothing */
#define HELPER_ANSWER		'a' /* the frame of the answer */
#define HELPER_DONE			'd' /* what is wrong, for the log; mostly nothing */
#define HELPER_FAILED		'f' /* an ERROR, which is logged: nothing */

#endif							/* HELPER_H */
