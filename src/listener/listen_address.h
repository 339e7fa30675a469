/*
 * listen_address.h
 *	  Addresses on which clients are waited for: their syntax, and their sockets.
 */
#ifndef LISTEN_ADDRESS_H
#define LISTEN_ADDRESS_H

#include "nodes/pg_list.h"

/* An item of a setting like 'localhost:9092/app, [::1]:9093/app'. */
typedef struct ListenAddress
{
	char	   *host;			/* "*": all addresses */
	int			port;
	char	   *database;		/* NULL: the item names none */
} ListenAddress;

/*
 * The items of such a list, palloc'd.  NIL with *problem, a constant string, if it is no such
 * list; an empty list is NIL with no problem.  All items have to name a database, or none may.
 */
extern List *pgt_listen_address_parse(const char *text, bool with_database, const char **problem);

/*
 * Wait for clients on an address: pgt_connection_open() gets their sockets, with "listener".
 * FATAL if nothing of it can be bound, for instance since the port is in use.
 */
extern void pgt_listen_address_open(const ListenAddress *address, int listener);

/* Stop waiting for clients, for instance as the process ends. */
extern void pgt_listen_address_close_all(void);

#endif							/* LISTEN_ADDRESS_H */
