/*
 * cluster.c
 *	  What clients take for their cluster: its id, and the one node that it has.
 *
 * A listener serves the topics of one database.  To its clients that is a cluster, with one
 * node, which leads all partitions and controls the cluster.  Its id looks like those that
 * Kafka makes: 16 bytes in the URL's variant of base 64.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/broker_settings.h"
#include "broker/core/cluster.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"

#define ID_BYTES	16
#define ID_LENGTH	22			/* in base 64, without padding */

/* Write bytes in base 64, without padding. */
static void
encode_base64url(const uint8 *bytes, int count, char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32		bits = 0;
	int			bit_count = 0;

	for (int i = 0; i < count; i++)
	{
		bits = bits << 8 | bytes[i];
		for (bit_count += 8; bit_count >= 6; bit_count -= 6)
			*text++ = digits[bits >> (bit_count - 6) & 63];
	}
	if (bit_count > 0)
		*text++ = digits[bits << (6 - bit_count) & 63];
	*text = '\0';
}

KafkaString
pgt_cluster_id(void)
{
	static char text[ID_LENGTH + 1];

	if (*text == '\0')
	{
		uint64		system = pg_hton64(GetSystemIdentifier());
		uint32		database = pg_hton32(MyDatabaseId);
		uint8		bytes[ID_BYTES] = {0};

		memcpy(bytes, &system, sizeof(system));
		memcpy(bytes + sizeof(system), &database, sizeof(database));
		encode_base64url(bytes, sizeof(bytes), text);
	}
	return pgt_broker_string(text);
}

ClusterNode
pgt_cluster_node(const BrokerConnection *client)
{
	ClusterNode node = {.id = pgt_kafka_node_id};
	int			port;

	node.host = pgt_broker_string(pgt_broker_settings_advertised(client, &port));
	node.port = port;
	if (*pgt_kafka_rack == '\0')
		node.rack.length = -1;
	else
		node.rack = pgt_broker_string(pgt_kafka_rack);
	return node;
}

int32 *
pgt_cluster_nodes(void)
{
	static int32 nodes[1];

	nodes[0] = pgt_kafka_node_id;
	return nodes;
}

int32
pgt_cluster_leader_epoch(void)
{
	return (int32) GetWALInsertionTimeLine();
}

KafkaError
pgt_cluster_check_epoch(int32 said, int32 current)
{
	if (said < 0 || said == current)
		return KAFKA_ERROR_NONE;
	return said < current ? KAFKA_ERROR_FENCED_LEADER_EPOCH : KAFKA_ERROR_UNKNOWN_LEADER_EPOCH;
}
