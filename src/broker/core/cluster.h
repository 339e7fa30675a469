/*
 * cluster.h
 *	  What clients take for their cluster: its id, and the one node that it has.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "broker/core/broker.h"
#include "kafka/kafka_error.h"

/* A cluster for each database: its id is made of the system identifier and the database's oid. */
extern KafkaString pgt_cluster_id(void);

/* The node that leads everything. */
typedef struct ClusterNode
{
	int32		id;
	KafkaString host;			/* as this client is to connect to it */
	int32		port;
	KafkaString rack;			/* null: in none */
} ClusterNode;

/* Its strings are in the current memory context. */
extern ClusterNode pgt_cluster_node(const BrokerConnection *client);

/* A list of this node alone, which nobody changes. */
extern int32 *pgt_cluster_nodes(void);

/* The number of the leader's time of office: the timeline of the WAL. */
extern int32 pgt_cluster_leader_epoch(void);

/*
 * May a client be served that takes this epoch for the leader's?  -1: it says none.  An older
 * one is FENCED_LEADER_EPOCH, one that is not yet UNKNOWN_LEADER_EPOCH.
 */
extern KafkaError pgt_cluster_check_epoch(int32 said, int32 current);

#endif							/* CLUSTER_H */
