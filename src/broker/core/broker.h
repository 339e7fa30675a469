/*
 * broker.h
 *	  The contract between the broker's loop and the files that serve APIs.
 *
 * An API is served by a function in a file of this folder, which api_table.c names.  It
 * gets a request whose body is decoded:
 *
 *	  static void
 *	  serve(BrokerRequest *request)
 *	  {
 *		  KafkaHeartbeatRequest *body = request->kafka.body;
 *		  KafkaHeartbeatResponse response;
 *
 *		  pgt_kafka_default_struct(KAFKA_HEARTBEAT_RESPONSE, &response);
 *		  response.error_code = ...;
 *		  pgt_broker_answer(request, &response);
 *	  }
 *
 *	  const BrokerApi pgt_heartbeat_api = {.key = KAFKA_API_HEARTBEAT, .serve = serve};
 *
 * The function returns after exactly one of these: it has answered
 * (pgt_broker_answer, pgt_broker_answer_nothing), it has closed the connection
 * (pgt_broker_close), or it has parked the request (pgt_broker_park).  After the first two
 * the request is gone.
 *
 * Memory.  The request, its frame, its arena, and what is palloc'd in request->memory live
 * until it is answered or dropped; strings and records of the body point into the frame.
 * CurrentMemoryContext is request->memory when the function is called.  A response is encoded
 * when it is answered, so it may lie anywhere, on the stack for instance.
 *
 * Transactions.  The function is called outside of a transaction, or inside that of the turn.
 * One that asks catalogs calls pgt_turn_open() (turn.h) first, which leaves the memory
 * context as it is.  It does not commit: the turn's end does, before the loop sleeps.  The
 * current user is the superuser that the worker runs as; rights are asked by access.h.
 *
 * Errors.  What concerns a topic or partition is an error code in the response.  An ERROR that
 * a serve or wake function throws is caught at the request's border: it is logged, what the
 * turn has appended until then stays, and the connection is closed.  An answer that
 * cannot be encoded ends the same way.
 *
 * Nothing here is called from a signal handler, and nothing may wait: not for a lock, not for
 * I/O other than of files, not for a client.  No LWLock is held when a function returns.
 */
#ifndef BROKER_H
#define BROKER_H

#include "access/xlogdefs.h"
#include "format/topic_partition.h"
#include "kafka/kafka_frame.h"
#include "lib/ilist.h"
#include "listener/connection.h"
#include "listener/event_loop.h"

/* ---- connections ----------------------------------------------------------- */

/*
 * What the broker knows of a client, for the life of its connection; memory of that kind is in
 * connection->memory, which is freed with it.
 */
typedef struct BrokerConnection
{
	Connection *connection;
	uint64		id;				/* of no other connection of this worker */

	/* set by authentication.c */
	bool		authenticated;	/* else only the APIs are served that lead there */
	Oid			role;			/* who the client is; valid where authenticated */
	char		role_name[NAMEDATALEN];
	Oid			expected;		/* who it becomes if it goes on without SASL, not authenticated yet; InvalidOid: nobody */
	struct SaslState *sasl;		/* of an exchange that is under way; NULL: none */
	int64		session_end;	/* by the monotonic clock; NEVER_US: none */
	bool		by_password;	/* the session ends when the password expires */
	uint64		roles_version;	/* of pg_authid, when the role was looked at last */

	/* as the client says */
	char		client_id[NAMEDATALEN];	/* of its last request, cut */
	char		software_name[NAMEDATALEN];
	char		software_version[NAMEDATALEN];

	int			api_key;		/* of its last request; -1: none yet */
	struct FetchSession *fetch_session; /* of fetch.c */
	struct QuotaClient *quota;	/* of quota.c */
	struct ConnectionStatus *status;	/* of connection_status.c */
} BrokerConnection;

/* ---- requests -------------------------------------------------------------- */

struct BrokerRequest;

/* Which LSN a parked request waits for. */
typedef enum BrokerDurability
{
	BROKER_FLUSHED,				/* the WAL up to there is on this server's disk */
	BROKER_SYNCED				/* and on that of synchronous standbys, if there are any */
} BrokerDurability;

#define BROKER_DURABILITY_COUNT	2

/*
 * What a parked request waits for.  Whichever comes first, wake() is called, as serve()
 * is.  It answers, or parks again, with other conditions or the same.  Fields of zeros are no
 * condition.
 */
typedef struct BrokerWait
{
	void		(*wake) (struct BrokerRequest *request);
	int64		deadline;		/* by pgt_clock_monotonic_us() */
	XLogRecPtr	lsn;			/* reached, in the sense of "durability" */
	BrokerDurability durability;
	const TopicPartition *partitions;	/* news of one of them: pgt_broker_news() */
	int			partition_count;
	bool		pipelined;		/* the connection's next requests are served meanwhile, as those
								 * behind a Produce; else they wait as behind a Fetch */
} BrokerWait;

typedef struct BrokerRequest
{
	KafkaRequest kafka;			/* api, version, header, body */
	KafkaArena	arena;			/* for arrays of the response, as pgt_kafka_default_array() makes them */
	size_t		arena_size;
	MemoryContext memory;
	BrokerConnection *client;
	Exchange   *exchange;
	int64		arrived;		/* by the monotonic clock */
	void	   *state;			/* of the serve function, for wake() and dropped() */

	/* of answer.c and broker_steps.c */
	struct AnswerWriter *answer;	/* in slices */
	bool		(*step) (struct BrokerRequest *request);
	void		(*finish) (struct BrokerRequest *request);

	/* of quota.c and dispatch.c */
	int			charged;		/* kinds of quotas that it counts for, a bit each */
	int64		began;			/* when its function was called, by the monotonic clock */
	int64		busy_us;		/* that it has taken before */

	/* called where the connection is closed before an answer; memory goes by itself */
	void		(*dropped) (struct BrokerRequest *request);

	/* of broker_wait.c */
	BrokerWait	wait;
	bool		parked;
	bool		woken;			/* wake() is about to be called */
	bool		goes_on;		/* likewise, behind all others: it was not ready in its slice */
	bool		in_heap;		/* of requests that wait for an LSN */
	EventLoopTimer timer;
	pairingheap_node lsn_node;
	dlist_node	woken_node;		/* also of those that go on */
	struct BrokerInterest *interests;
	int			interest_room;
} BrokerRequest;

/*
 * Answer with the structure of request->kafka.api->response, in the request's version.
 * Records of a Fetch response are in memory, which is copied, or are file ranges: then
 * "source" is a BrokerRecords whose ranges have as many bytes as "length" says.  The time that a quota lets the
 * client wait is set in the response.
 */
extern void pgt_broker_answer(BrokerRequest *request, void *response);

/*
 * The same with a response that may be large, in slices.  It lies in the request's memory, and nobody changes it.  With
 * fill() the elements of its own arrays may be incomplete: fill() is called before each of them is encoded, which then happens
 * at a stretch, so that what it refers to need not be there for longer.
 */
extern void pgt_broker_answer_in_slices(BrokerRequest *request, void *response,
										void (*fill) (BrokerRequest *request, void *item));

/* ApiVersions of a version that is not known: which versions of it there are. */
extern void pgt_broker_answer_versions(BrokerRequest *request);

/* Answer with a frame that is encoded already, its size included. */
extern void pgt_broker_answer_frame(BrokerRequest *request, const char *frame, size_t length);

/* There is no response: Produce with acks=0. */
extern void pgt_broker_answer_nothing(BrokerRequest *request);

/* Answer, and close the connection when the answer has been sent: failed authentication. */
extern void pgt_broker_answer_and_close(BrokerRequest *request, void *response);

/*
 * Close the connection without an answer, when those to earlier requests have been sent.  The reason is a constant
 * string, for the server's log.
 */
extern void pgt_broker_close(BrokerRequest *request, const char *reason);

/*
 * Return without an answer: the request waits.  The array of partitions is copied.  A request that is
 * parked may be parked again, with other conditions, or answered, by whoever knows it: so
 * Produce parks without a condition, and gets its LSN at the end of the turn.
 */
extern void pgt_broker_park(BrokerRequest *request, const BrokerWait *wait);

/*
 * Slices.  All clients wait while one of them is served, so what a client can make large, by the
 * number of elements in its request for instance, is done a slice at a time.  Has the request had
 * its slice of this turn?  Then the function notes in request->state where it is, and
 * returns after pgt_broker_go_on(): "wake" is called as serve() is, in one of the next turns, with the
 * transaction of that one.  The connection's next requests wait meanwhile.
 */
extern bool pgt_broker_slice_is_over(void);
extern void pgt_broker_go_on(BrokerRequest *request, void (*wake) (BrokerRequest *request));

/*
 * The same for work of small steps: step() does one, in the turn's transaction, or returns false, as none is left.
 * Then finish() is called, which answers or parks, in the slice of the last step.
 */
extern void pgt_broker_take_steps(BrokerRequest *request, bool (*step) (BrokerRequest *request),
								  void (*finish) (BrokerRequest *request));

/*
 * The client is this role from now on, until session_end by the monotonic clock, when the
 * connection is closed, or NEVER_US.  For authentication.c.
 */
extern void pgt_broker_set_client(BrokerConnection *client, Oid role, const char *role_name, int64 session_end);

/* The connection is closed at this time, by the monotonic clock, in any case. */
extern void pgt_broker_set_expiry(BrokerConnection *client, int64 expires);

/* The arena of a request, which is zeros but for "memory", takes its blocks there from now on. */
extern void pgt_broker_init_arena(BrokerRequest *request);

/* Structures of a response, in the request's arena and with the defaults of the schema. */
extern void *pgt_broker_array(BrokerRequest *request, KafkaStructId id, int32 count);

/*
 * Which of a request's names stand in it more than once: an array, palloc'd.  Kafka refuses these, with one
 * entry of the response for all that are equal.
 */
typedef enum BrokerRepeated
{
	BROKER_SINGLE,
	BROKER_REPEATED,			/* the first of several */
	BROKER_REPETITION			/* another one */
} BrokerRepeated;

extern BrokerRepeated *pgt_broker_find_repeated(const KafkaString *names, int count);

/*
 * A C string as a Kafka string, which is no copy and is null for NULL, and the reverse, which is one: NULL if it is null or has a
 * zero byte.
 */
extern KafkaString pgt_broker_string(const char *text);
extern char *pgt_broker_cstring(BrokerRequest *request, KafkaString string);

/* ---- records in files ------------------------------------------------------- */

/* A part of a file (output_file.h). */
typedef struct BrokerRange
{
	OutputFile *file;
	off_t		offset;
	size_t		length;
} BrokerRange;

/* The source of KafkaRecords: ranges of files that follow each other.  The answer takes references of its own. */
typedef struct BrokerRecords
{
	const BrokerRange *ranges;
	int			count;
} BrokerRecords;

/* ---- what parked requests wait for ---------------------------------------- */

/* The partition has news: wake the requests that wait for it, at the latest when the turn ends. */
extern void pgt_broker_news(const TopicPartition *partition);

/* The request, which is parked, is to wait no longer. */
extern void pgt_broker_wake(BrokerRequest *request);

/* Does a request wait for the partition? */
extern bool pgt_broker_is_awaited(const TopicPartition *partition);

/*
 * Call look() for each partition that requests wait for; where it returns true there is news.
 * "last" is a number for look() to keep, -1 at first: an offset, for instance.  look() may not
 * throw, nor park or answer requests.
 */
extern void pgt_broker_look(bool (*look) (const TopicPartition *partition, int64 *last));

/* The least LSN that a request waits for, or InvalidXLogRecPtr. */
extern XLogRecPtr pgt_broker_awaited(BrokerDurability durability);

/* ---- APIs and hooks -------------------------------------------------------------- */

/* An API that is served. */
typedef struct BrokerApi
{
	int16		key;			/* KAFKA_API_... */
	bool		anonymous;		/* served before a client is authenticated */
	bool		uses_tables;	/* those of groups and transactions: it goes on when nobody has locked them (turn.h) */
	void		(*serve) (BrokerRequest *request);
} BrokerApi;

/*
 * Moments of the loop, at which files of this folder have something to do.  In a turn:
 *
 *	  turn_begin		after the sleep.  latch_set: somebody has set the process's latch, as
 *						commits, the flusher and signals do
 *	  (requests are served, deadlines wake)
 *	  turn_end			commit what the turn has appended, ask the flusher for it
 *	  reached			what is durable has moved on, to this LSN; after it
 *						(requests that wait for an LSN or for news are woken; then turn_end again, if a transaction is open)
 *
 * An ERROR in a hook is logged, and what the turn has appended and not committed is lost: its
 * requests must then be answered by the file that parked them.
 */
typedef struct BrokerHooks
{
	void		(*start) (void);	/* once, when the worker is connected, outside a transaction */
	void		(*turn_begin) (bool latch_set);
	void		(*turn_end) (void);
	void		(*reached) (BrokerDurability durability, XLogRecPtr lsn);
	void		(*reloaded) (void);	/* the configuration files were read again; outside a transaction */
	void		(*opened) (BrokerConnection *client);
	void		(*closed) (BrokerConnection *client);
} BrokerHooks;

/*
 * A file that serves an API, or has work in the loop, has a constant of that kind, which its
 * header declares, and a line in api_table.c.
 */

/* The entry of an API, or NULL: it is not served. */
extern const BrokerApi *pgt_broker_find_api(int key);

/* Take the entries of the table, at the worker's start. */
extern void pgt_broker_set_apis(const BrokerApi *const *apis);

#endif							/* BROKER_H */
