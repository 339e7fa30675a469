/*
 * describe_share_offsets.h
 *	  The API DescribeShareGroupOffsets.
 */
#ifndef DESCRIBE_SHARE_OFFSETS_H
#define DESCRIBE_SHARE_OFFSETS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_share_offsets_api;

#endif							/* DESCRIBE_SHARE_OFFSETS_H */
