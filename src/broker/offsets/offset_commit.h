/*
 * offset_commit.h
 *	  The API OffsetCommit.
 */
#ifndef OFFSET_COMMIT_H
#define OFFSET_COMMIT_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_offset_commit_api;

#endif							/* OFFSET_COMMIT_H */
