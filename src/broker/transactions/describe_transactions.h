/*
 * describe_transactions.h
 *	  The API DescribeTransactions.
 */
#ifndef DESCRIBE_TRANSACTIONS_H
#define DESCRIBE_TRANSACTIONS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_transactions_api;

#endif							/* DESCRIBE_TRANSACTIONS_H */
