/*
 * api_table.c
 *	  Which APIs are served, and which files have work in the loop.
 *
 * The only place that lists them: dispatch.c looks requests up here, and ApiVersions tells
 * clients of the APIs that are here.  The hooks are called in the order of their table.
 */
#include "postgres.h"

#include "broker/broker.h"

const BrokerApi *pgt_broker_apis[] = {
	NULL
};

const BrokerHooks *pgt_broker_hooks[] = {
	NULL
};
