/*
 * api_table.h
 *	  Which APIs are served, and which files have work in the loop.
 */
#ifndef API_TABLE_H
#define API_TABLE_H

#include "broker/core/broker.h"
#include "broker/helpers/helper.h"

/* Each ends with a NULL. */
extern const BrokerApi *const pgt_api_table[];
extern const BrokerHooks *const pgt_api_table_hooks[];
extern const HelperApi *const pgt_api_table_helper[];

#endif							/* API_TABLE_H */
