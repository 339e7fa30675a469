/*
 * describe_cluster.h
 *	  DescribeCluster: the brokers, for administrators' tools.
 */
#ifndef DESCRIBE_CLUSTER_H
#define DESCRIBE_CLUSTER_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_cluster_api;

#endif							/* DESCRIBE_CLUSTER_H */
