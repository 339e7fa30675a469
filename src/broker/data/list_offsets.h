/*
 * list_offsets.h
 *	  The API ListOffsets: where partitions begin and end, and offsets by time.
 */
#ifndef LIST_OFFSETS_H
#define LIST_OFFSETS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_list_offsets_api;

#endif							/* LIST_OFFSETS_H */
