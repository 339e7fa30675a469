/*
 * connection_log.c
 *	  What the server's log is told of connections.
 *
 * Strangers cause these lines, and must not fill the log: of each kind there are no more than TOLD_MAX
 * in TOLD_INTERVAL_MS.  The next one tells how many were left out.
 */
#include "postgres.h"

#include "common/ip.h"
#include "listener/connection_limits.h"
#include "listener/connection_log.h"
#include "util/clock.h"

#define TOLD_MAX			10
#define TOLD_INTERVAL_MS	10000

/* How many lines of a kind the server's log got. */
typedef struct LineCount
{
	int64		since;			/* by the monotonic clock; 0: none yet */
	int			told;			/* since then */
	int			kept_back;		/* since the last one that was told */
} LineCount;

/* May there be another line of a kind?  *left_out becomes how many were left out since the last one. */
static bool
may_tell(LineCount *lines, int *left_out)
{
	if (lines->since == 0 || pgt_clock_ms_since(lines->since) >= TOLD_INTERVAL_MS)
	{
		lines->since = pgt_clock_monotonic_us();
		lines->told = 0;
	}
	if (lines->told >= TOLD_MAX)
	{
		lines->kept_back++;
		return false;
	}
	lines->told++;
	*left_out = lines->kept_back;
	lines->kept_back = 0;
	return true;
}

/* "address:port" of a client. */
static void
describe_peer(const Connection *connection, char *text, size_t size)
{
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (pg_getnameinfo_all(&connection->peer.addr, connection->peer.salen, host, sizeof(host),
						   port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		strlcpy(text, "?", size);
	else
		snprintf(text, size, "%s:%s", host, port);
}

void
pgt_connection_log_closing(const Connection *connection)
{
	static LineCount lines;
	char		peer[NI_MAXHOST + NI_MAXSERV + 2];
	int			left_out;

	if (*connection->closing == '\0' || !may_tell(&lines, &left_out))
		return;
	describe_peer(connection, peer, sizeof(peer));
	ereport(LOG,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("closing the Kafka connection of %s: %s", peer, connection->closing),
			 left_out > 0 ? errdetail("%d further lines like this were left out.", left_out) : 0));
}

void
pgt_connection_log_refused_address(const Connection *connection)
{
	static LineCount lines;
	char		peer[NI_MAXHOST + NI_MAXSERV + 2];
	int			left_out;

	if (!may_tell(&lines, &left_out))
		return;
	describe_peer(connection, peer, sizeof(peer));
	ereport(LOG,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("refusing a Kafka connection of %s: its address has %d already", peer, pgt_connection_limits.of_address),
			 errhint("Consider raising pg_topics.kafka_max_connections_per_ip.")));
}

void
pgt_connection_log_refused(int connections)
{
	static LineCount lines;
	int			left_out;

	if (may_tell(&lines, &left_out))
		ereport(LOG,
				(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
				 errmsg("refusing a Kafka connection: there are %d already", connections),
				 errhint("Consider raising pg_topics.kafka_max_connections.")));
}
