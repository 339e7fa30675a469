/*
 * refusal_log.c
 *	  What the server's log is told of clients that are refused, and how much.
 *
 * Anybody who reaches the port can be refused as often as he likes, and must not fill the log.  An address
 * gets ADDRESS_LINES in a time of INTERVAL_US, all together ALL_LINES.  What is left out is counted by address
 * and told when the time is over; so is, in one line, what addresses did of which there were too many
 * to be told of each.
 *
 *	  first refusal					end of the time, or reload
 *	  |-- lines, then counting -->	| what was left out; a new time begins with the next one
 *
 * A reload ends the time: who changes pg_hba.conf wants to see what comes of it.
 *
 * Of addresses of IPv6 the first 64 bits count, as anybody has many with the same ones.
 *
 * Memory: the table of addresses lives for one such time and has ADDRESSES_MAX at most.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "broker/login/client_address.h"
#include "broker/login/refusal_log.h"
#include "listener/connection_address.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define INTERVAL_US		(10 * INT64CONST(1000000))
#define ADDRESS_LINES	10
#define ALL_LINES		100
#define ADDRESSES_MAX	1000
#define ADDRESSES_TOLD	10

/* What an address has in this time. */
typedef struct AddressLines
{
	struct in6_addr address;	/* the key */
	int			logged;
	int			left_out;
} AddressLines;

static HTAB *addresses = NULL;	/* of AddressLines; NULL: no time has begun */
static int	logged = 0;			/* of all of them */
static int	others_left_out = 0;	/* of addresses that are not in the table */
static EventLoopTimer timer;

/* ---- the end of a time ------------------------------------------------------ */

static bool
is_ipv4(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

/* Tell what was left out of an address. */
static void
tell_address(const AddressLines *lines)
{
	char		text[INET6_ADDRSTRLEN] = "?";

	if (is_ipv4(&lines->address))
		(void) inet_ntop(AF_INET, &lines->address.s6_addr[12], text, sizeof(text));
	else
		(void) inet_ntop(AF_INET6, &lines->address, text, sizeof(text));
	ereport(LOG,
			(errmsg("%d further lines about refused Kafka clients of %s%s were left out",
					lines->left_out, text, is_ipv4(&lines->address) ? "" : "/64")));
}

/* Tell what was left out, and begin anew. */
static void
end_time(void)
{
	HASH_SEQ_STATUS scan;
	AddressLines *lines;
	int			told = 0;

	if (addresses == NULL)
		return;
	hash_seq_init(&scan, addresses);
	while ((lines = hash_seq_search(&scan)) != NULL)
	{
		if (lines->left_out == 0)
			continue;
		if (told++ < ADDRESSES_TOLD)
			tell_address(lines);
		else
			others_left_out += lines->left_out;
	}
	if (others_left_out > 0)
		ereport(LOG,
				(errmsg("%d further lines about refused Kafka clients of other addresses were left out", others_left_out)));
	hash_destroy(addresses);
	addresses = NULL;
	logged = others_left_out = 0;
	pgt_event_loop_cancel_timer(&timer);
}

static void
time_is_over(EventLoopTimer *unused)
{
	end_time();
}

/* ---- a refusal -------------------------------------------------------------- */

/* The client's address, or what of it counts. */
static struct in6_addr
address_of(const BrokerConnection *client)
{
	struct in6_addr address = pgt_connection_address_of(&client->connection->peer);

	if (!is_ipv4(&address))
		memset(&address.s6_addr[8], 0, 8);
	return address;
}

/* A time begins. */
static void
begin_time(void)
{
	HASHCTL		info = {.keysize = sizeof(struct in6_addr),.entrysize = sizeof(AddressLines),.hcxt = TopMemoryContext};

	addresses = hash_create("pg_topics refused addresses", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	timer.expired = time_is_over;
	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us() + INTERVAL_US);
}

bool
pgt_refusal_log_may(const BrokerConnection *client)
{
	struct in6_addr address = address_of(client);
	AddressLines *lines;
	bool		found;

	if (addresses == NULL)
		begin_time();
	lines = hash_search(addresses, &address, hash_get_num_entries(addresses) < ADDRESSES_MAX ? HASH_ENTER : HASH_FIND, &found);
	if (lines == NULL)
	{
		others_left_out++;
		return false;
	}
	if (!found)
		lines->logged = lines->left_out = 0;
	if (lines->logged >= ADDRESS_LINES || logged >= ALL_LINES)
	{
		lines->left_out++;
		return false;
	}
	lines->logged++;
	logged++;
	return true;
}

const char *
pgt_refusal_log_refuse(const BrokerConnection *client, const char *told, const char *detail)
{
	if (pgt_refusal_log_may(client))
		ereport(LOG,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("refused Kafka client %s: %s", pgt_client_address_text(client), told),
				 detail != NULL ? errdetail_internal("%s", detail) : 0));
	return told;
}

const BrokerHooks pgt_refusal_log_hooks = {.reloaded = end_time};
