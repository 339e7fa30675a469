/*
 * broker_shared.c
 *	  What the broker's processes share.
 */
#include "postgres.h"

#include "broker/core/broker_shared.h"
#include "storage/shmem.h"

BrokerShared *pgt_broker_shared = NULL;
BrokerSharedWorker *pgt_broker_shared_worker = NULL;

Size
pgt_broker_shared_size(void)
{
	return sizeof(BrokerShared);
}

void
pgt_broker_shared_init(void)
{
	bool		found;

	pgt_broker_shared = ShmemInitStruct("pg_topics broker", pgt_broker_shared_size(), &found);
	if (found)
		return;
	memset(pgt_broker_shared, 0, sizeof(BrokerShared));
	for (int kind = 0; kind < BROKER_DURABILITY_COUNT; kind++)
	{
		for (int i = 0; i < BROKER_SHARED_WORKERS; i++)
			pg_atomic_init_u64(&pgt_broker_shared->workers[i].wanted[kind], 0);
	}
}
