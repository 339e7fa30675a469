/*
 * txn_offset_commit.h
 *	  The API TxnOffsetCommit.
 */
#ifndef TXN_OFFSET_COMMIT_H
#define TXN_OFFSET_COMMIT_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_txn_offset_commit_api;

#endif							/* TXN_OFFSET_COMMIT_H */
