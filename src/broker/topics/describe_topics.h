/*
 * describe_topics.h
 *	  DescribeTopicPartitions: topics and their partitions, a part at a time.
 */
#ifndef DESCRIBE_TOPICS_H
#define DESCRIBE_TOPICS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_topics_api;

#endif							/* DESCRIBE_TOPICS_H */
