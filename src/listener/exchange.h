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

/* What the frames of all exchanges take, and the bytes that connections have not made frames of yet. */
extern size_t pgt_exchange_memory;

/* Make one, with room for its frame, in a memory context below that one.  NULL: there is no memory. */
extern Exchange *pgt_exchange_make(struct Connection *connection, MemoryContext parent, int32 length);

/* Count what it takes while it waits: what is made of a frame may be many times as large. */
extern void pgt_exchange_count(Exchange *exchange);

/* It is not answered yet, but its frame is not needed any more. */
extern void pgt_exchange_release_frame(Exchange *exchange);

/* Free it; it is in no list. */
extern void pgt_exchange_free(Exchange *exchange);

#endif							/* EXCHANGE_H */
