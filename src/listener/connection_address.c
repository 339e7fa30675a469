/*
 * connection_address.c
 *	  How many connections come from each address.
 *
 * One client that opens connections without end would else leave none to the others.  An
 * address of IPv4 is the same whether it comes through a socket of IPv4 or of IPv6.  All are
 * counted, limited or not, as the limit may come with a reload.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "listener/connection_address.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct AddressCount
{
	struct in6_addr address;	/* the key */
	int			count;
} AddressCount;

static HTAB *counts = NULL;

struct in6_addr
pgt_connection_address_of(const SockAddr *peer)
{
	struct in6_addr address = {0};

	if (peer->salen == 0)
		return address;
	if (peer->addr.ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *) &peer->addr)->sin6_addr;
	if (peer->addr.ss_family == AF_INET)
	{
		address.s6_addr[10] = address.s6_addr[11] = 0xff;
		memcpy(&address.s6_addr[12], &((const struct sockaddr_in *) &peer->addr)->sin_addr, sizeof(struct in_addr));
	}
	return address;
}

static HTAB *
make_counts(void)
{
	HASHCTL		info = {0};

	info.keysize = sizeof(struct in6_addr);
	info.entrysize = sizeof(AddressCount);
	info.hcxt = TopMemoryContext;
	return hash_create("pg_topics addresses of connections", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

bool
pgt_connection_address_add(const SockAddr *peer, int most)
{
	struct in6_addr address = pgt_connection_address_of(peer);
	AddressCount *entry;
	bool		found;

	if (counts == NULL)
		counts = make_counts();
	entry = hash_search(counts, &address, HASH_ENTER, &found);
	if (!found)
		entry->count = 0;
	if (most > 0 && entry->count >= most)
		return false;
	entry->count++;
	return true;
}

void
pgt_connection_address_remove(const SockAddr *peer)
{
	struct in6_addr address = pgt_connection_address_of(peer);
	AddressCount *entry = hash_search(counts, &address, HASH_FIND, NULL);

	Assert(entry != NULL && entry->count > 0);
	if (--entry->count == 0)
		hash_search(counts, &address, HASH_REMOVE, NULL);
}
