/*
 * exchange.c
 *	  A frame that has come in, with the answer that goes out.
 *
 * An exchange has a memory context of its own, for all that its request needs.  How much that is, is
 * counted: its frame from the beginning, and what is made of it when it does not have its answer
 * at once.  The answer's bytes are counted in output.c.
 */
#include "postgres.h"

#include "listener/exchange.h"
#include "utils/memutils.h"

#define UNCOUNTED		(32 * 1024) /* that any exchange may take beside its frame */

size_t		pgt_exchange_memory = 0;

Exchange *
pgt_exchange_make(struct Connection *connection, MemoryContext parent, int32 length)
{
	MemoryContext memory = AllocSetContextCreate(parent, "pg_topics request", ALLOCSET_SMALL_SIZES);
	Exchange   *exchange = MemoryContextAllocZero(memory, sizeof(Exchange));

	exchange->frame = MemoryContextAllocExtended(memory, Max(length, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (exchange->frame == NULL)
	{
		MemoryContextDelete(memory);
		return NULL;
	}
	exchange->connection = connection;
	exchange->memory = memory;
	exchange->length = length;
	exchange->counted = length;
	pgt_exchange_memory += length;
	return exchange;
}

void
pgt_exchange_count(Exchange *exchange)
{
	size_t		memory = MemoryContextMemAllocated(exchange->memory, true);

	pgt_exchange_memory -= exchange->counted;
	exchange->counted = Max(exchange->length, memory > UNCOUNTED ? memory - UNCOUNTED : 0);
	pgt_exchange_memory += exchange->counted;
}

void
pgt_exchange_release_frame(Exchange *exchange)
{
	if (exchange->frame == NULL)
		return;
	pfree(exchange->frame);
	exchange->frame = NULL;
	exchange->length = 0;
	pgt_exchange_count(exchange);
}

void
pgt_exchange_free(Exchange *exchange)
{
	pgt_exchange_memory -= exchange->counted;
	pgt_output_clear(&exchange->output);
	MemoryContextDelete(exchange->memory);
}
