/*
 * describe_producers.h
 *	  DescribeProducers: who has numbered the records of partitions.
 */
#ifndef DESCRIBE_PRODUCERS_H
#define DESCRIBE_PRODUCERS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_producers_api;

#endif							/* DESCRIBE_PRODUCERS_H */
