/*
 * latency.c
 *	  How long a record takes from its commit to its consumer: bench/run's
 *	  "latency".
 *
 *	  latency topic|queue auto|transaction SECONDS RATE
 *
 * A process produces RATE records a second, a transaction each, at fixed times;
 * another one waits for them:
 *
 *	  topic		produce(); consume() with a timeout
 *	  queue		INSERT and NOTIFY in one transaction and one round trip; LISTEN,
 *				and at a notification one DELETE ... RETURNING of what is there
 *
 * All statements are prepared.  With "auto" a statement is a transaction, so a
 * consumer has a record when the commit that took it is durable.  With
 * "transaction" it has it before that, as one does that works on it in the
 * transaction that takes it; the next one is waited for after the commit.
 *
 * Each record carries its number.  Both processes note times by one clock of
 * this machine in memory that they share.  Printed, in milliseconds: median and
 * 99th percentile of the time from the producer's learning of the commit to the
 * consumer's having the record, and of the time from sending it to that.
 * A consumer may have a record before its producer has heard: that is 0.
 *
 * The connection is by libpq's variables.  The schema is latency.sql's.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libpq-fe.h"

/* The first second is not counted: caches and plans. */
#define WARM_UP_SECONDS	1

/* A consumer that gets nothing for so long gives up. */
#define PATIENCE_MS		10000

typedef struct Times
{
	int64_t		sent;			/* nanoseconds */
	int64_t		committed;
	int64_t		received;		/* 0: not yet */
} Times;

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "latency: %s: %s\n", what, why);
	exit(1);
}

/* A connection with "sql" prepared. */
static PGconn *
open_connection(const char *sql)
{
	PGconn	   *connection = PQconnectdb("");
	PGresult   *result;

	if (PQstatus(connection) != CONNECTION_OK)
		fail("could not connect", PQerrorMessage(connection));
	result = PQprepare(connection, "statement", sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(sql, PQerrorMessage(connection));
	PQclear(result);
	return connection;
}

/* The result of a statement, which must be a success. */
static PGresult *
check(PGconn *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		fail("statement failed", PQerrorMessage(connection));
	return result;
}

/* Run the prepared statement, with a parameter or none. */
static PGresult *
run(PGconn *connection, const char *parameter)
{
	return check(connection, PQexecPrepared(connection, "statement", parameter == NULL ? 0 : 1,
											&parameter, NULL, NULL, 0));
}

/* Run SQL; its last result. */
static PGresult *
run_sql(PGconn *connection, const char *sql)
{
	return check(connection, PQexec(connection, sql));
}

/* Note that the result's records are here; their numbers are its only column. */
static int
note_received(PGresult *result, Times *times)
{
	int64_t		at = now();
	int			count = PQntuples(result);

	for (int i = 0; i < count; i++)
		times[atoi(PQgetvalue(result, i, 0))].received = at;
	PQclear(result);
	return count;
}

/* ---- producer ----------------------------------------------------------- */

static void
sleep_until(int64_t time)
{
	struct timespec at = {time / 1000000000, time % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void
produce(const char *sql, Times *times, int count, int rate)
{
	PGconn	   *connection = open_connection(sql);
	int64_t		begin = now();

	for (int i = 0; i < count; i++)
	{
		char		number[16];

		snprintf(number, sizeof(number), "%d", i);
		sleep_until(begin + INT64_C(1000000000) / rate * i);
		times[i].sent = now();
		PQclear(run(connection, number));
		times[i].committed = now();
	}
	PQfinish(connection);
}

/* ---- consumers ---------------------------------------------------------- */

static void
consume_topic(PGconn *connection, bool transaction, Times *times, int count)
{
	while (count > 0)
	{
		int			received;

		if (transaction)
			PQclear(run_sql(connection, "BEGIN"));
		received = note_received(run(connection, NULL), times);
		if (transaction)
			PQclear(run_sql(connection, "COMMIT"));
		if (received == 0)
			fail("consume()", "nothing came");
		count -= received;
	}
}

/* Wait until a notification has come, and take all that have. */
static void
wait_for_notification(PGconn *connection)
{
	PGnotify   *notification;
	bool		notified = false;

	for (;;)
	{
		struct pollfd socket = {PQsocket(connection), POLLIN, 0};

		while ((notification = PQnotifies(connection)) != NULL)
		{
			notified = true;
			PQfreemem(notification);
		}
		if (notified)
			return;
		if (poll(&socket, 1, PATIENCE_MS) == 0)
			fail("LISTEN", "nothing came");
		if (!PQconsumeInput(connection))
			fail("LISTEN", PQerrorMessage(connection));
	}
}

static void
consume_queue(PGconn *connection, bool transaction, Times *times, int count)
{
	PQclear(run_sql(connection, "LISTEN latency"));
	while (count > 0)
	{
		wait_for_notification(connection);
		if (transaction)
		{
			/* one round trip */
			count -= note_received(run_sql(connection, "BEGIN; EXECUTE statement"), times);
			PQclear(run_sql(connection, "COMMIT"));
		}
		else
			count -= note_received(run(connection, NULL), times);
	}
}

/* ---- figures ------------------------------------------------------------ */

static int
compare_times(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return (left > right) - (left < right);
}

/* Print median and 99th percentile of the values. */
static void
print_quantiles(int64_t *values, int count)
{
	qsort(values, count, sizeof(int64_t), compare_times);
	printf("%.3f %.3f ", values[count / 2] / 1e6, values[(int) (count * 0.99)] / 1e6);
}

static void
print_figures(const Times *times, int count)
{
	int64_t    *from_commit = malloc(sizeof(int64_t) * count);
	int64_t    *from_send = malloc(sizeof(int64_t) * count);

	for (int i = 0; i < count; i++)
	{
		from_commit[i] = times[i].received - times[i].committed;
		if (from_commit[i] < 0)
			from_commit[i] = 0;
		from_send[i] = times[i].received - times[i].sent;
	}
	print_quantiles(from_commit, count);
	print_quantiles(from_send, count);
	printf("\n");
	free(from_commit);
	free(from_send);
}

/* What a side runs. */
typedef struct Side
{
	const char *name;
	const char *produce;
	const char *take;
	void		(*consume) (PGconn *connection, bool transaction, Times *times, int count);
} Side;

static const Side sides[] = {
	{"topic",
		"SELECT produce('latency_topic', NULL::text, $1::text)",
		"SELECT value FROM consume('latency_topic', 'latency', timeout => '10 s')",
	consume_topic},
	{"queue",
		"WITH inserted AS (INSERT INTO latency_queue (value) VALUES ($1)) SELECT pg_notify('latency', '')",
		"WITH taken AS (DELETE FROM latency_queue WHERE id IN ("
		"SELECT id FROM latency_queue ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)"
		" RETURNING value) SELECT value FROM taken",
	consume_queue}
};

/* Produce in a process of its own; its id. */
static pid_t
start_producer(const Side *side, Times *times, int count, int rate)
{
	pid_t		pid = fork();

	if (pid < 0)
		fail("fork", strerror(errno));
	if (pid > 0)
		return pid;
	/* the consumer is waiting by then */
	sleep(1);
	produce(side->produce, times, count, rate);
	exit(0);
}

/* Measure one side and print its figures. */
static void
measure(const Side *side, bool transaction, int seconds, int rate)
{
	int			warm_up = rate * WARM_UP_SECONDS;
	int			count = warm_up + seconds * rate;
	Times	   *times = mmap(NULL, sizeof(Times) * count, PROT_READ | PROT_WRITE,
							 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	PGconn	   *consumer;
	pid_t		producer;
	int			status;

	if (times == MAP_FAILED)
		fail("mmap", strerror(errno));
	producer = start_producer(side, times, count, rate);
	consumer = open_connection(side->take);
	side->consume(consumer, transaction, times, count);
	PQfinish(consumer);
	if (waitpid(producer, &status, 0) != producer || status != 0)
		fail("producer", "failed");
	print_figures(times + warm_up, count - warm_up);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && atoi(argv[3]) > 0 && atoi(argv[4]) > 0)
	{
		for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		{
			if (strcmp(argv[1], sides[i].name) != 0)
				continue;
			measure(&sides[i], strcmp(argv[2], "transaction") == 0, atoi(argv[3]), atoi(argv[4]));
			return 0;
		}
	}
	fprintf(stderr, "usage: latency topic|queue auto|transaction SECONDS RATE\n");
	return 2;
}
