/*
 * list_transactions.h
 *	  The API ListTransactions.
 */
#ifndef LIST_TRANSACTIONS_H
#define LIST_TRANSACTIONS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_list_transactions_api;

#endif							/* LIST_TRANSACTIONS_H */
