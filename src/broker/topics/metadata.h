/*
 * metadata.h
 *	  Metadata: topics, their partitions, and where they are served.
 */
#ifndef METADATA_H
#define METADATA_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_metadata_api;

#endif							/* METADATA_H */
