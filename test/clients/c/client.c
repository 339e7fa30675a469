/*
 * libpq: orders in a transaction, a worker, and a leased worker behind a pooler.
 *
 *	  client produce FIRST LAST
 *	  client work
 *	  client lease MEMBER
 *
 * Connects as the PG... environment variables say.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

static PGconn *conn;
static PGcancel *cancel;
static volatile sig_atomic_t stop_requested = 0;
static volatile sig_atomic_t polling = 0;

/* SIGTERM: end at once while polling, else when the work is done.  PQcancel() may be called here. */
static void
request_stop(int signal_number)
{
	char		error[256];

	stop_requested = 1;
	if (polling)
		(void) PQcancel(cancel, error, sizeof(error));
}

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(conn));
	exit(1);
}

/* Run a statement with text parameters whose types the server chooses. */
static PGresult *
run(const char *sql, int count, const char *const *values)
{
	PGresult   *result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		die(sql);
	return result;
}

static void
execute(const char *sql, int count, const char *const *values)
{
	PQclear(run(sql, count, values));
}

/* The rows of a query that may wait; NULL once the program is to stop. */
static PGresult *
poll_records(const char *sql, int count, const char *const *values)
{
	PGresult   *result = NULL;

	polling = 1;
	if (!stop_requested)
		result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
	polling = 0;
	if (result == NULL || PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	if (!stop_requested || strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014") != 0)
		die(sql);
	PQclear(result);
	return NULL;
}

static void
produce(int first, int last)
{
	execute("BEGIN", 0, NULL);
	for (int n = first; n <= last; n++)
	{
		char		id[16];
		char		key[32];
		char		value[64];

		snprintf(id, sizeof(id), "%d", n);
		snprintf(key, sizeof(key), "customer %d", n % 7);
		snprintf(value, sizeof(value), "{\"id\": %d, \"bad\": %s}", n, n % 10 == 0 ? "true" : "false");
		execute("INSERT INTO orders_made VALUES ($1)", 1, (const char *[]) {id});
		execute("SELECT produce($1, $2, $3)", 3, (const char *[]) {"orders", key, value});
	}
	execute("COMMIT", 0, NULL);
}

/* Bill one order, or set it aside. */
static void
bill(PGresult *records, int row)
{
	const char *id = PQgetvalue(records, row, 3);
	int			bad = strcmp(PQgetvalue(records, row, 4), "t") == 0;

	execute("SAVEPOINT one", 0, NULL);
	execute("INSERT INTO billed VALUES ($1)", 1, &id);
	if (!bad)
	{
		execute("RELEASE one", 0, NULL);
		return;
	}
	execute("ROLLBACK TO one", 0, NULL);
	execute("SELECT nack($1, 'billing', $2, $3, $4)", 4,
			(const char *[]) {PQgetvalue(records, row, 0), PQgetvalue(records, row, 1),
		PQgetvalue(records, row, 2), "cannot be billed"});
}

static void
work(void)
{
	while (!stop_requested)
	{
		PGresult   *records;

		execute("BEGIN", 0, NULL);
		records = poll_records("SELECT topic, partition, record_offset, value::jsonb -> 'id', (value::jsonb -> 'bad')::bool"
							   " FROM consume_many($1, 'billing', max_records => 10, timeout_ms => 5000)",
							   1, (const char *[]) {"{orders,\"\\\"orders.retry\\\"\"}"});
		for (int i = 0; records != NULL && i < PQntuples(records); i++)
			bill(records, i);
		PQclear(records);
		/* after a poll that was cancelled, this is a rollback */
		execute("COMMIT", 0, NULL);
	}
}

static void
lease(const char *member)
{
	while (!stop_requested)
	{
		PGresult   *records = poll_records("SELECT value::jsonb -> 'id' FROM consume('orders', 'mailing', 10,"
										   " timeout_ms => 5000, member_id => $1, lease => '10 s')", 1, &member);

		if (records != NULL && PQntuples(records) > 0)
		{
			execute("BEGIN", 0, NULL);
			for (int i = 0; i < PQntuples(records); i++)
			{
				const char *id = PQgetvalue(records, i, 0);

				execute("INSERT INTO mailed VALUES ($1)", 1, &id);
			}
			execute("SELECT commit_offsets('orders', 'mailing', $1)", 1, &member);
			execute("COMMIT", 0, NULL);
		}
		PQclear(records);
	}
	execute("SELECT leave_group('orders', 'mailing', $1)", 1, &member);
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = request_stop,.sa_flags = SA_RESTART};

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		die("could not connect");
	cancel = PQgetCancel(conn);
	sigaction(SIGTERM, &action, NULL);

	if (argc == 4 && strcmp(argv[1], "produce") == 0)
		produce(atoi(argv[2]), atoi(argv[3]));
	else if (argc == 2 && strcmp(argv[1], "work") == 0)
		work();
	else if (argc == 3 && strcmp(argv[1], "lease") == 0)
		lease(argv[2]);
	PQfreeCancel(cancel);
	PQfinish(conn);
	return 0;
}
