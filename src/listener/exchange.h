/*
 * exchange.h
 *	  A frame that has come in, with the answer that goes out.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "lib/ilist.h"
#include "listener/output.h"

struct Connection;

/*
 * A frame, and its answer.  Both live in "memory", which is freed when the exchange ends: that
 * is when it has been answered, or when its connection is closed.
 */
typedef struct Exchange
{
	struct Connection *connection;
	dlist_node	node;			/* in connection->exchanges */
	MemoryContext memory;
	char	   *frame;			/* the bytes behind the size; NULL: given back */
	int32		length;
	size_t		counted;		/* among the memory of frames */
	bool		answered;		/* but an earlier one is not, or it would be gone */
	Output		output;			/* its answer */
	void	   *request;		/* of the handlers */
} Exchange;

#endif							/* EXCHANGE_H */
