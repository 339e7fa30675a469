/*
 * helper_pool.c
 *	  The loop's side of the helper processes.
 *
 * A request that may wait is a task: it stands in a queue (helper_queue.c) until a helper is free, which then has
 * this one task.
 *
 *	  helpers	starting | free | with a task		HELPER_QUEUE_HELPERS at most
 *
 * A helper is started when there are more tasks to be taken than helpers that are free or starting, and let go when
 * it has been free for IDLE_MS.  It is let go by giving up the segment of shared memory with its
 * queues, which it notices and ends; so it never ends just as it is sent a task.  When
 * this process ends, its helpers notice the same, once they are done with what they do.
 *
 * Several helpers run, so that a statement that waits for a lock does not keep other clients waiting.
 * Where the server has no room for one more background worker, tasks wait for those that run; where
 * none runs, it is tried again every RETRY_MS, until the tasks' time is up.
 *
 * What can go wrong, and what becomes of the request:
 *
 *	  time is up in the queue		it has not been done: REQUEST_TIMED_OUT
 *	  a helper does not keep time	REQUEST_TIMED_OUT GRACE_MS later; what it still does is nobody's
 *	  a helper ends in its task		REQUEST_TIMED_OUT: it may have been done.  Clients try again
 *	  a helper ends before it has told that it begins
 *									the task waits for another one
 *	  an ERROR in the helper		the connection is closed, as after one in the loop
 *	  the client has gone			its task is forgotten in the queue; else it is done
 *
 * Memory: a task and what is sent live until its helper is done, which may be after its request is gone.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/helpers/helper.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/helper_queue.h"
#include "maintenance/database_claim.h"
#include "miscadmin.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "util/background_worker.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/memutils.h"

#define IDLE_MS			10000
#define RETRY_MS		200
#define GRACE_MS		2000	/* that a helper may be late */
#define TIMEOUT_MAX_MS	60000	/* that a request may have: others wait for its helper meanwhile */
#define LOG_MS			10000	/* between two lines of the server's log on the same matter */

/* A helper process. */
typedef struct Helper
{
	dsm_segment *segment;		/* NULL: there is none */
	shm_mq_handle *calls;
	shm_mq_handle *replies;
	BackgroundWorkerHandle *process;
	bool		ready;			/* it has told so */
	bool		sent;			/* all of the task's message */
	bool		begun;			/* it has told that it serves the task */
	HelperTask *task;
	EventLoopTimer idle;
} Helper;

static Helper helpers[HELPER_QUEUE_HELPERS];
static int64 not_before = 0;	/* when a helper may be started again, after that has failed */

static void step_guarded(void);

/* ---- tasks ------------------------------------------------------------------- */

/* Tell the log what has become of a task that nobody waits for. */
static void
log_problem(const char *problem, Size length)
{
	static int64 last = 0;

	if (length == 0 || (last != 0 && pgt_clock_ms_since(last) < LOG_MS))
		return;
	last = pgt_clock_monotonic_us();
	ereport(LOG,
			(errmsg("could not create a topic that a Kafka client has asked for: %.*s", (int) length, problem)));
}

/* A helper is done with a task, or has ended (no reply).  A reply that there is no memory for is lost. */
static void
finish_task(HelperTask *task, const char *reply, Size length)
{
	if (task->request == NULL)
	{
		if (reply != NULL && *reply == HELPER_DONE)
			log_problem(reply + 1, length - 1);
		pgt_helper_queue_free(task);
		return;
	}
	if (reply != NULL)
		task->reply = MemoryContextAllocExtended(TopMemoryContext, length, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (task->reply != NULL)
	{
		memcpy(task->reply, reply, length);
		task->reply_length = length;
	}
	task->done = true;
	pgt_broker_wake(task->request);
	pgt_event_loop_hurry();
}

/* ---- processes ----------------------------------------------------------------- */

/* Look after the queue later. */
static void
retry_due(EventLoopTimer *timer)
{
	step_guarded();
}

static void
retry_later(void)
{
	static EventLoopTimer timer = {.expired = retry_due};

	not_before = pgt_clock_monotonic_us() + RETRY_MS * INT64CONST(1000);
	pgt_event_loop_set_timer(&timer, not_before);
}

/* Give up the queues; a helper at their other end notices that. */
static void
drop_queues(Helper *helper)
{
	if (helper->calls != NULL)
		shm_mq_detach(helper->calls);
	if (helper->replies != NULL)
		shm_mq_detach(helper->replies);
	dsm_detach(helper->segment);
	helper->segment = NULL;
}

/* Give up a helper and its queues; it ends by that, unless it has ended. */
static void
let_go(Helper *helper)
{
	pgt_event_loop_cancel_timer(&helper->idle);
	drop_queues(helper);
	pfree(helper->process);
	memset(helper, 0, sizeof(*helper));
}

/* It has been free for long. */
static void
idle_expired(EventLoopTimer *timer)
{
	Helper	   *helper = (Helper *) ((char *) timer - offsetof(Helper, idle));

	if (helper->segment != NULL && helper->task == NULL)
		let_go(helper);
}

static void
become_free(Helper *helper)
{
	helper->task = NULL;
	helper->sent = helper->begun = false;
	helper->idle.expired = idle_expired;
	pgt_event_loop_set_timer(&helper->idle, pgt_clock_monotonic_us() + IDLE_MS * INT64CONST(1000));
}

/* A helper has ended by itself. */
static void
lose(Helper *helper)
{
	HelperTask *task = helper->task;
	bool		begun = helper->begun;

	/* one that ends as soon as it has begun is not to be started on and on */
	if (!helper->ready)
		retry_later();
	let_go(helper);
	if (task == NULL)
		return;
	pgt_helper_queue_give_back(task);
	if (begun)
		finish_task(task, NULL, 0);
	else if (task->request == NULL && !task->left)
		/* its client has gone meanwhile */
		pgt_helper_queue_free(task);
	else
		pgt_helper_queue_add(task, true);
}

/* Tell the log that no process could be started: for an error, or as there is no room for one (NULL). */
static void
log_not_started(const char *problem)
{
	static int64 last = 0;

	if (last != 0 && pgt_clock_ms_since(last) < LOG_MS)
		return;
	last = pgt_clock_monotonic_us();
	ereport(LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("could not start a helper process for requests of Kafka clients: %s",
					problem != NULL ? problem : "too many background workers"),
			 errdetail("Clients that create, alter or delete topics wait, and are told that their time is up."),
			 problem != NULL ? 0 : errhint("Raise max_worker_processes and restart the server.")));
}

/* Describe the process, which finds its queues by the segment's handle. */
static bool
register_process(Helper *helper)
{
	BackgroundWorker worker;

	pgt_background_worker_init(&worker, "pgt_helper_process_main", KAFKA_HELPER_NAME);
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(helper->segment));
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &MyDatabaseId, sizeof(Oid));
	return RegisterDynamicBackgroundWorker(&worker, &helper->process);
}

/* Make the queues of a new helper, this process at the one end of each.  The helper must find them when it starts. */
static void
make_queues(Helper *helper)
{
	shm_mq	   *calls = shm_mq_create(HELPER_CALLS(helper->segment), HELPER_QUEUE_BYTES);
	shm_mq	   *replies = shm_mq_create(HELPER_REPLIES(helper->segment), HELPER_QUEUE_BYTES);

	shm_mq_set_sender(calls, MyProc);
	shm_mq_set_receiver(replies, MyProc);
	helper->calls = shm_mq_attach(calls, helper->segment, NULL);
	helper->replies = shm_mq_attach(replies, helper->segment, NULL);
}

/* Make a helper's queues and its process, which is NULL if there is no room for it. */
static void
make_helper(void *arg)
{
	Helper	   *helper = arg;

	MemoryContextSwitchTo(TopMemoryContext);
	helper->segment = dsm_create(HELPER_SEGMENT_BYTES, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (helper->segment == NULL)
		return;
	/* or the turn's transaction would give it back */
	dsm_pin_mapping(helper->segment);
	make_queues(helper);
	if (!register_process(helper))
		return;
	FAULT_HALT("helper-registered");
	/* so that a process that ends before it has found its queues is noticed */
	shm_mq_set_handle(helper->calls, helper->process);
	shm_mq_set_handle(helper->replies, helper->process);
}

/* Start a helper; false if that cannot be done now, which the log tells. */
static bool
start(Helper *helper)
{
	ErrorData  *error = NULL;

	if (pgt_turn_try_quietly(make_helper, helper, &error) && helper->process != NULL)
		return true;
	/* one that was registered all the same finds no queues, and ends */
	if (helper->segment != NULL)
		drop_queues(helper);
	memset(helper, 0, sizeof(*helper));
	log_not_started(error == NULL ? NULL : error->message);
	return false;
}

/* ---- steps ----------------------------------------------------------------------- */

/* The helper has sent something. */
static void
take_reply(Helper *helper, const char *reply, Size length)
{
	HelperTask *task = helper->task;

	if (*reply == HELPER_BEGUN)
	{
		helper->begun = true;
		return;
	}
	if (*reply == HELPER_READY)
		helper->ready = true;
	become_free(helper);
	if (task == NULL)
		return;
	pgt_helper_queue_give_back(task);
	finish_task(task, reply, length);
}

/* Send and receive what can be without waiting; true if something has changed. */
static bool
step(Helper *helper)
{
	shm_mq_result result;
	Size		length;
	void	   *reply;

	if (helper->segment == NULL)
		return false;
	if (helper->task != NULL && !helper->sent)
	{
		result = shm_mq_send(helper->calls, helper->task->length, helper->task->message, true, true);
		if (result == SHM_MQ_WOULD_BLOCK)
			return false;
		if (result == SHM_MQ_DETACHED)
		{
			lose(helper);
			return true;
		}
		helper->sent = true;
	}
	result = shm_mq_receive(helper->replies, &length, &reply, true);
	if (result == SHM_MQ_WOULD_BLOCK)
		return false;
	if (result == SHM_MQ_DETACHED)
		lose(helper);
	else
		take_reply(helper, reply, length);
	return true;
}

/* A helper that is free, or NULL; counts those that are starting. */
static Helper *
find_free(int *starting, Helper **unused)
{
	Helper	   *found = NULL;

	*starting = 0;
	*unused = NULL;
	for (int i = 0; i < HELPER_QUEUE_HELPERS; i++)
	{
		Helper	   *helper = &helpers[i];

		if (helper->segment == NULL)
			*unused = helper;
		else if (!helper->ready)
			(*starting)++;
		else if (helper->task == NULL)
			found = helper;
	}
	return found;
}

/* Give tasks to helpers that are free, and start one where that is of use; true if a task was given. */
static bool
give_tasks(void)
{
	bool		given = false;
	int			ready;

	while ((ready = pgt_helper_queue_ready()) > 0)
	{
		int			starting;
		Helper	   *unused;
		Helper	   *helper = find_free(&starting, &unused);

		if (helper != NULL)
		{
			helper->task = pgt_helper_queue_take();
			pgt_event_loop_cancel_timer(&helper->idle);
			given = true;
			continue;
		}
		if (unused == NULL || starting >= ready || pgt_clock_monotonic_us() < not_before)
			break;
		if (!start(unused))
		{
			retry_later();
			break;
		}
	}
	return given;
}

/* Do all that can be done now. */
static void
step_all(void)
{
	bool		again = true;

	pgt_helper_queue_expire();
	while (again)
	{
		again = give_tasks();
		for (int i = 0; i < HELPER_QUEUE_HELPERS; i++)
			again |= step(&helpers[i]);
	}
}

static void
call_step_all(void *unused)
{
	step_all();
}

/* The same; an error, as where there is no memory, is nobody's, and what is left is done a little later. */
static void
step_guarded(void)
{
	if (!pgt_turn_try(call_step_all, NULL, NULL))
		retry_later();
}

/* ---- requests -------------------------------------------------------------------- */

/* Nobody waits for a task any more: free it, or let the helper that has it do so. */
static void
forget(HelperTask *task)
{
	task->request = NULL;
	if (task->queued)
		pgt_helper_queue_remove(task);
	else if (task->held)
		return;					/* until it is done */
	pgt_helper_queue_free(task);
}

/* The request's client has gone. */
static void
dropped(BrokerRequest *request)
{
	HelperTask *task = request->state;

	request->state = NULL;
	if (task != NULL)
		forget(task);
}

/* Answer with what the helper has sent, or with an error in its place. */
static void
answer(BrokerRequest *request, HelperTask *task)
{
	if (task->reply == NULL)
		task->refuse(request, KAFKA_ERROR_REQUEST_TIMED_OUT,
					 "the process that served the request has ended; it may have been done");
	else if (*task->reply == HELPER_ANSWER)
		pgt_broker_answer_frame(request, task->reply + 1, task->reply_length - 1);
	else
		pgt_broker_close(request, "a request has failed");
}

static void park(BrokerRequest *request, int64 deadline);

/* The task is done, or its time is up. */
static void
woken(BrokerRequest *request)
{
	HelperTask *task = request->state;

	if (!task->done && !task->queued && pgt_clock_monotonic_us() < task->deadline + GRACE_MS * INT64CONST(1000))
	{
		/* the helper looks at the time itself */
		park(request, task->deadline + GRACE_MS * INT64CONST(1000));
		return;
	}
	/* the request is gone when it is answered */
	request->state = NULL;
	task->request = NULL;
	PG_TRY();
	{
		if (task->done)
			answer(request, task);
		else
			task->refuse(request, KAFKA_ERROR_REQUEST_TIMED_OUT, "there was no time to serve the request");
	}
	PG_FINALLY();
	{
		forget(task);
	}
	PG_END_TRY();
}

static void
park(BrokerRequest *request, int64 deadline)
{
	BrokerWait	wait = {.wake = woken, .deadline = deadline};

	pgt_broker_park(request, &wait);
}

void
pgt_helper_pool_hand(BrokerRequest *request, int32 timeout_ms,
					 void (*refuse) (BrokerRequest *request, KafkaError error, const char *message))
{
	HelperTask *task;

	if (timeout_ms <= 0)
	{
		refuse(request, KAFKA_ERROR_REQUEST_TIMED_OUT, "the request allows no time");
		return;
	}
	task = pgt_helper_queue_make(request, Min(timeout_ms, TIMEOUT_MAX_MS));
	task->request = request;
	task->refuse = refuse;
	request->state = task;
	request->dropped = dropped;
	pgt_helper_queue_add(task, false);
	park(request, task->deadline);
	step_guarded();
}

bool
pgt_helper_pool_leave(const BrokerRequest *request, int32 timeout_ms)
{
	HelperTask *task;

	if (!pgt_helper_queue_may_leave(request->client->role))
		return false;
	task = pgt_helper_queue_make(request, timeout_ms);
	pgt_helper_queue_note_left(task);
	pgt_helper_queue_add(task, false);
	step_guarded();
	return true;
}

/* ---- hooks ------------------------------------------------------------------------- */

/* The queues, and the postmaster, set the latch. */
static void
turn_begin(bool latch_set)
{
	if (latch_set)
		step_guarded();
}

const BrokerHooks pgt_helper_pool_hooks = {.turn_begin = turn_begin};
